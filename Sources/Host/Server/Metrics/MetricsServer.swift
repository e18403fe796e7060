package import DomeAsync
package import DomeModel
internal import DomePlatform
internal import DomeTransport
internal import Glibc

/// Answers Prometheus: `GET /metrics` over HTTP/1.1, one answer a connection, on a Unix socket of this user's and, if
/// wished, on a port of the loopback. What it says are numbers and names of tools; it takes nothing but the request.
@Core
package final class MetricsServer {
    private static let connectionLimit = 16
    private static let path = "/metrics"

    private let text: @Core () -> String
    private var listeners: [(socket: FileDescriptor, registration: EventLoop.Registration)] = []
    private var connections: [ObjectIdentifier: MetricsConnection] = [:]

    /// - Parameter text: what a scrape gets; called for each.
    package init(text: @escaping @Core () -> String) { self.text = text }

    /// Serves on the Unix socket at `path`, to this user alone.
    package func serve(path: String) throws(DomeError) {
        try add(try UnixListener.bind(path: path)) { socket throws(DomeError) in _ = try UnixListener.admit(socket) }
    }

    /// Serves on HOST:PORT of the loopback, to every local user and every job with net.full; returns the port.
    package func serve(address: String) throws(DomeError) -> UInt16 {
        let listener = try TCPListener.bind(address)
        try add(listener) { socket throws(DomeError) in _ = try TCPListener.admit(socket) }
        return TCPListener.port(of: listener)
    }

    private func add(
        _ listener: FileDescriptor, admit: @escaping @Sendable (FileDescriptor) throws(DomeError) -> Void
    ) throws(DomeError) {
        let registration = try Core.loop.register(listener, interest: .readable) { [weak self] _ in
            Core.assumeIsolated { self?.accept(listener, admit) }
        }
        listeners.append((listener, registration))
    }

    private func accept(
        _ listener: FileDescriptor, _ admit: (FileDescriptor) throws(DomeError) -> Void
    ) {
        while let socket = (try? UnixSocket.accept(listener)) ?? nil {
            // One too many is closed at once.
            guard connections.count < Self.connectionLimit else { continue }
            do throws(DomeError) {
                try admit(socket)
                let connection = MetricsConnection(socket)
                let id = ObjectIdentifier(connection)
                connection.onEnd = { [weak self] in self?.connections[id] = nil }
                connection.onRequest = { [weak self] line in self?.answer(line) ?? "" }
                try connection.start()
                connections[id] = connection
            } catch {
                Log.warning("metrics.connection_refused", ["error": error.message])
            }
        }
    }

    /// The answer to a request with this first line.
    private func answer(_ line: String) -> String {
        let words = line.split(separator: " ")
        guard words.count == 3, words[2].hasPrefix("HTTP/1.") else {
            return Self.response("400 Bad Request", "what?\n")
        }
        guard words[0] == "GET" else { return Self.response("405 Method Not Allowed", "GET only\n") }
        let target = words[1].prefix { $0 != "?" }
        guard target == Self.path else { return Self.response("404 Not Found", "there is only \(Self.path) here\n") }
        return Self.response("200 OK", text(), type: "text/plain; version=0.0.4; charset=utf-8")
    }

    private static func response(_ status: String, _ body: String, type: String = "text/plain") -> String {
        "HTTP/1.1 \(status)\r\nContent-Type: \(type)\r\nContent-Length: \(body.utf8.count)\r\nConnection: close\r\n\r\n"
            + body
    }

    package func close() {
        for (_, registration) in listeners { registration.cancel() }
        listeners = []
        for connection in Array(connections.values) { connection.end() }
    }
}
