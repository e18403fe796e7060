internal import DomeAsync
package import DomeModel
internal import DomePlatform
internal import DomeTransport
internal import Glibc

/// The protocol over HTTP ("streamable HTTP"), at /mcp on a port of the loopback. Any local user and every page in a
/// browser reaches such a port: whoever calls shows the token from a file that only this user can read.
@Core
final class HTTPServer {
    private static let connectionLimit = 256
    private static let path = "/mcp"

    private let bridge: Bridge
    private let listener: FileDescriptor
    private let token: BearerToken
    private var registration: EventLoop.Registration?
    private var connections: [ObjectIdentifier: HTTPConnection] = [:]
    let sessions = HTTPSessions()

    /// Binds the address; the token is made if there is none.
    init(bridge: Bridge, address: String, tokenFile: String) throws(DomeError) {
        self.bridge = bridge
        signal(SIGPIPE, SIG_IGN)
        listener = try TCPListener.bind(address)
        token = try BearerToken.madeIfMissing(file: tokenFile)
    }

    var port: UInt16 { TCPListener.port(of: listener) }

    func start() throws(DomeError) {
        registration = try Core.loop.register(listener, interest: .readable) { [weak self] _ in
            Core.assumeIsolated { self?.accept() }
        }
    }

    private func accept() {
        while let socket = (try? UnixSocket.accept(listener)) ?? nil {
            // One too many is closed at once.
            guard connections.count < Self.connectionLimit else { continue }
            do throws(DomeError) {
                _ = try TCPListener.admit(socket)
                let connection = HTTPConnection(socket)
                let id = ObjectIdentifier(connection)
                connection.judge = { [token] request in HTTPChecks.problem(request, token) }
                connection.onRequest = { [weak self] request, connection in self?.take(request, connection) }
                connection.onClose = { [weak self] in self?.connections[id] = nil }
                try connection.start()
                connections[id] = connection
            } catch {
                Log.warning("mcp.connection_refused", ["error": error.message])
            }
        }
    }

    private func take(_ request: HTTPRequest, _ connection: HTTPConnection) {
        guard request.path == Self.path else { return refuse(connection, 404, "there is only \(Self.path) here") }
        let version = request.header("mcp-protocol-version")
        if let version, request.method != "POST", ProtocolVersion(rawValue: version)?.isStateless == true {
            return refuse(connection, 405, "MCP \(version) has only POST", [("allow", "POST")])
        }
        switch request.method {
        case "POST": post(request, connection)
        case "GET": resume(request, connection)
        case "DELETE":
            guard let session = session(of: request, connection) else { return }
            sessions.end(session)
            connection.respond(204)
        default: refuse(connection, 405, "\(request.method) is not served", [("allow", "POST, GET, DELETE")])
        }
    }

    private func refuse(
        _ connection: HTTPConnection, _ status: Int, _ message: String, _ headers: [(String, String)] = []
    ) {
        let body = RPCText.error(.null, .invalidRequest(message))
        connection.respond(status, headers + [("content-type", "application/json")], body: body)
    }

    /// The session that the request names; nil if it was refused for want of one.
    private func session(of request: HTTPRequest, _ connection: HTTPConnection) -> HTTPSession? {
        guard let id = request.header("mcp-session-id") else {
            refuse(connection, 400, "send initialize first, and then its Mcp-Session-Id with each request")
            return nil
        }
        guard let session = sessions[id] else {
            refuse(connection, 404, "no such session; send initialize to begin a new one")
            return nil
        }
        return session
    }

    /// A client that lost its stream asks for what came after the last event that it has.
    private func resume(_ request: HTTPRequest, _ connection: HTTPConnection) {
        guard let session = session(of: request, connection) else { return }
        guard let last = request.header("last-event-id") else {
            return refuse(connection, 405, "nothing is sent unasked; only streams are resumed", [("allow", "POST")])
        }
        guard let (log, number) = session.log(last) else {
            return refuse(connection, 400, "no such event: it is too long ago, or none of this session")
        }
        connection.beginStream([])
        log.attach(connection, after: number)
    }

    private func post(_ request: HTTPRequest, _ connection: HTTPConnection) {
        guard HTTPChecks.isJSON(request) else { return refuse(connection, 415, "send content-type: application/json") }
        guard HTTPChecks.accepts(request, "application/json"), HTTPChecks.accepts(request, "text/event-stream") else {
            return refuse(connection, 406, "accept both application/json and text/event-stream")
        }
        let value: JSONValue
        do throws(DomeError) {
            value = try JSONParser.parse(request.body, what: "the message")
        } catch {
            let body = RPCText.error(.null, .parse(error.message))
            return connection.respond(400, [("content-type", "application/json")], body: body)
        }
        // A request that names a stateless version in its header or in itself is one; a handshake never is.
        let header = request.header("mcp-protocol-version")
        let isStateless =
            value["params"]?["_meta"]?[MetaKey.version] != nil
            || header.map { ProtocolVersion(rawValue: $0)?.isStateless ?? false } == true
        if isStateless { return postStateless(request, value, connection) }
        if let header, ProtocolVersion(rawValue: header) == nil {
            return refuse(connection, 400, "MCP-Protocol-Version \(header.prefix(32)) is unknown")
        }
        postInSession(request, value, connection)
    }

    private func postStateless(_ request: HTTPRequest, _ value: JSONValue, _ connection: HTTPConnection) {
        let exchange = HTTPExchange(connection, isStateless: true, headers: [], log: nil)
        guard case .object = value, value["id"] != nil else {
            if value["method"]?.stringValue != nil { return connection.respond(202) }
            return exchange.fail(.null, .invalidRequest("the body must be one request or notification"))
        }
        if let mismatch = HTTPChecks.mismatch(request, value) {
            return exchange.fail(value["id"].flatMap { RequestID($0)?.json } ?? .null, mismatch)
        }
        // Nobody else uses this session; who closes the connection cancels the request.
        let session = Session()
        connection.onAbandoned = {
            for call in session.calls.values { call.cancel() }
        }
        bridge.receive(value, session, exchange)
    }

    private func postInSession(_ request: HTTPRequest, _ value: JSONValue, _ connection: HTTPConnection) {
        if value["method"]?.stringValue == "initialize", request.count(of: "mcp-session-id") == 0 {
            let session = sessions.begin()
            let headers = [("mcp-session-id", session.id)]
            let exchange = HTTPExchange(connection, isStateless: false, headers: headers, log: nil)
            exchange.onRefused = { [weak self] in self?.sessions.end(session) }
            return bridge.receive(value, session.session, exchange)
        }
        guard let session = session(of: request, connection) else { return }
        let messages = value.arrayValue ?? [value]
        let isOwed = messages.isEmpty || messages.contains { RPCMessage($0).isOwedAnAnswer }
        let isCall = messages.contains { $0["method"]?.stringValue == "tools/call" }
        let log = isCall ? session.newLog() : nil
        let exchange = HTTPExchange(connection, isStateless: false, headers: [], log: log)
        bridge.receive(value, session.session, exchange)
        guard isOwed else { return connection.respond(202) }
        exchange.promiseAnswer(withFirstEvent: session.session.version == .november2025)
    }
}

extension Bridge {
    /// Serves HTTP until the process is ended; returns only if it cannot.
    package func serveHTTP(
        _ address: String, tokenFile: String, _ started: @Core (UInt16) -> Void
    ) async throws(DomeError) {
        let server = try HTTPServer(bridge: self, address: address, tokenFile: tokenFile)
        try server.start()
        shelf.refresh()
        started(server.port)
        _ = await OneShot<Bool>().wait()
        withExtendedLifetime(server) {}
    }
}
