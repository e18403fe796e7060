import DomeModel
import DomePlatform
import DomeTransport

/// The optional door on loopback TCP. Any local user and every job with net.full can reach a port, so its callers
/// prove themselves with a token from a file that only this user can read.
struct TCPAccess {
    var address: String
    /// Where the token lies; nil for `--tcp-no-auth`.
    var tokenFile: String?

    /// Binds the address and adds it to the server; what it opens is said in the log.
    func open(_ server: GRPCServer) throws(DomeError) -> FileDescriptor {
        let listener = try TCPListener.bind(address)
        let port = TCPListener.port(of: listener)
        if let tokenFile {
            let token = try BearerToken.madeIfMissing(file: tokenFile)
            server.authorize = { token.judge($0) }
            Log.info("tcp.listening", ["address": address, "port": "\(port)", "token_file": tokenFile])
        } else {
            Log.warning(
                "tcp.open_to_all",
                [
                    "address": address, "port": "\(port)",
                    "meaning": "every local user, and every job with net.full, may run jobs as this user",
                ])
        }
        try server.add(listener: listener, needsAuthorization: tokenFile != nil) { socket throws(DomeError) in
            try TCPListener.admit(socket)
        }
        return listener
    }
}
