package import DomeModel
package import DomePlatform
internal import Glibc

/// Where domed listens.
package enum Endpoint: Sendable, Equatable, CustomStringConvertible {
    /// Unix sockets, tried in order. The first is where a daemon started by us will listen.
    case unix(paths: [String])
    /// A TCP port, only ever because somebody asked for it.
    case tcp(host: String, port: String)

    /// The endpoint by the contract's rules: DOMED_ENDPOINT if set, else the socket in the runtime directory, else
    /// the one in the state directory. Never TCP unasked: any local user may own that port.
    package static func resolve(
        directories: Directories, environment: (String) -> String?
    ) throws(DomeError) -> Endpoint {
        if let text = environment("DOMED_ENDPOINT"), !text.isEmpty { return try Endpoint(parsing: text) }
        let inState = directories.state + "/run/domed\(directories.stage.suffix).sock"
        let paths = [directories.socketPath, inState]
        return .unix(paths: paths[0] == paths[1] ? [inState] : paths)
    }

    /// Takes `unix:///path`, `unix:/path` or `host:port`.
    package init(parsing text: String) throws(DomeError) {
        for prefix in ["unix://", "unix:"] where text.hasPrefix(prefix) {
            let path = String(text.dropFirst(prefix.count))
            guard path.hasPrefix("/") else { break }
            self = .unix(paths: [path])
            return
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count >= 2, let port = parts.last.flatMap({ UInt16($0) }), port > 0, !text.hasPrefix("unix:") else {
            throw DomeError(
                .invalidRequest,
                "DOMED_ENDPOINT '\(text.prefix(200))' is neither unix:///absolute/path nor host:port")
        }
        var host = parts.dropLast().joined(separator: ":")
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        self = .tcp(host: host.isEmpty ? "127.0.0.1" : host, port: String(port))
    }

    /// As DOMED_ENDPOINT would say it.
    package var description: String {
        switch self {
        case .unix(let paths): "unix://" + (paths.first ?? "")
        case .tcp(let host, let port): host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        }
    }

    /// A connected socket whose other end runs as this user. Local and quick, so it may block.
    func connect() throws(ClientError) -> FileDescriptor {
        switch self {
        case .tcp(let host, let port): return try TCPSocket.connect(host: host, port: port)
        case .unix(let paths):
            var reasons: [String] = []
            for path in paths {
                do throws(DomeError) {
                    let socket = try UnixSocket.connect(path: path, kind: .stream)
                    try Self.verify(socket, path)
                    return socket
                } catch {
                    if error.code == .policyDenied || error.code == .invalidRequest { throw .refused(error) }
                    reasons.append(error.message)
                }
            }
            throw .unavailable("no daemon answers: \(reasons.joined(separator: "; "))")
        }
    }

    /// Whoever listens sees tasks and can forge results: it must be this user, or root.
    private static func verify(_ socket: FileDescriptor, _ path: String) throws(DomeError) {
        let peer = try Peer.of(socket)
        guard peer.userID == geteuid() || peer.userID == 0 else {
            throw DomeError(
                .policyDenied, "\(path) is served by uid \(peer.userID), not by you; remove it or set DOMED_ENDPOINT")
        }
    }
}
