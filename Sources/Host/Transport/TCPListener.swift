package import DomeModel
package import DomePlatform
internal import Glibc

/// Listening on TCP, on loopback alone. Any local user and any container with the host's network can reach such
/// a port: add it with `needsAuthorization` and a `BearerToken`.
package enum TCPListener {
    /// A listening, non-blocking socket on `address`, `127.0.0.1:PORT` or `[::1]:PORT`; port 0 takes a free one.
    /// Every other address is refused, names too: what `localhost` means is somebody else's to say.
    package static func bind(_ address: String) throws(DomeError) -> FileDescriptor {
        let (host, port) = try parse(address)
        let family = host == "::1" ? AF_INET6 : AF_INET
        let number = socket(family, Int32(SOCK_STREAM.rawValue) | O_NONBLOCK | O_CLOEXEC, 0)
        guard number >= 0 else { throw .system("create a TCP socket", errno) }
        let listener = FileDescriptor(owning: number)
        setOption(listener, SOL_SOCKET, SO_REUSEADDR)
        let status = family == AF_INET6 ? bindVersion6(listener, port) : bindVersion4(listener, port)
        guard status == 0 else {
            let reason = errno
            guard reason == EADDRINUSE else { throw .system("bind \(address)", reason) }
            throw DomeError(.lockConflict, "port \(port) is in use on \(host); choose another with --tcp")
        }
        guard listen(listener.number, 512) == 0 else { throw .system("listen on \(address)", errno) }
        return listener
    }

    /// The port that a listener got.
    package static func port(of listener: FileDescriptor) -> UInt16 {
        var address = sockaddr_in6()
        var size = socklen_t(MemoryLayout<sockaddr_in6>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener.number, $0, &size) }
        }
        // sockaddr_in and sockaddr_in6 have the port at the same place.
        return UInt16(bigEndian: address.sin6_port)
    }

    /// The admission of its connections: nobody is known by name, what they may do is the token's to say.
    package static func admit(_ socket: FileDescriptor) throws(DomeError) -> Peer? {
        setOption(socket, Int32(IPPROTO_TCP), TCP_NODELAY)
        return nil
    }

    private static func parse(_ address: String) throws(DomeError) -> (host: String, port: UInt16) {
        guard let colon = address.lastIndex(of: ":"), let port = UInt16(address[address.index(after: colon)...]) else {
            throw DomeError(.invalidRequest, "TCP address \(address) is not HOST:PORT")
        }
        switch address[..<colon] {
        case "127.0.0.1": return ("127.0.0.1", port)
        case "[::1]", "::1": return ("::1", port)
        default:
            throw DomeError(
                .policyDenied, "TCP address \(address) is not loopback; use 127.0.0.1:\(port) or [::1]:\(port)")
        }
    }

    private static func bindVersion4(_ listener: FileDescriptor, _ port: UInt16) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(listener.number, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    private static func bindVersion6(_ listener: FileDescriptor, _ port: UInt16) -> Int32 {
        setOption(listener, Int32(IPPROTO_IPV6), IPV6_V6ONLY)
        var address = sockaddr_in6()
        address.sin6_family = sa_family_t(AF_INET6)
        address.sin6_port = port.bigEndian
        withUnsafeMutableBytes(of: &address.sin6_addr) { $0[15] = 1 }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(listener.number, $0, socklen_t(MemoryLayout<sockaddr_in6>.size))
            }
        }
    }

    private static func setOption(_ socket: FileDescriptor, _ level: Int32, _ name: Int32) {
        var one: Int32 = 1
        setsockopt(socket.number, level, name, &one, socklen_t(MemoryLayout<Int32>.size))
    }
}

/// The secret that clients on TCP prove themselves with: `authorization: Bearer <token>`.
package struct BearerToken: Sendable {
    private let token: [UInt8]

    /// Reads the token from a file that must be this user's own with mode 0600 (or 0400); a final newline is
    /// not part of it. Shorter than 16 bytes is refused.
    package init(file path: String) throws(DomeError) {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw .system("inspect token file \(path)", errno) }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid(), status.st_mode & 0o177 == 0 else {
            throw DomeError(
                .policyDenied, "token file \(path) must be yours alone, a plain file; run: chmod 600 \(path)")
        }
        var bytes = try Files.read(path, limitBytes: 4096)
        while let last = bytes.last, last == 0x0a || last == 0x0d { bytes.removeLast() }
        guard bytes.count >= 16, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
            throw DomeError(
                .invalidRequest, "token file \(path) must hold one line of at least 16 printable characters")
        }
        token = bytes
    }

    /// The token in the file, which is made if it is not there: 256 bits, mode 0600.
    package static func madeIfMissing(file path: String) throws(DomeError) -> BearerToken {
        if !Files.exists(path) {
            var generator = SystemRandomNumberGenerator()
            let words = (0..<4).map { _ in String(generator.next() as UInt64, radix: 16) }
            let digits = words.map { String(repeating: "0", count: 16 - $0.utf8.count) + $0 }.joined()
            try Files.writeAtomically(path, Array((digits + "\n").utf8))
        }
        return try BearerToken(file: path)
    }

    /// What a client sends to prove it.
    package func metadata() throws(DomeError) -> Metadata {
        var metadata = Metadata()
        try metadata.add("authorization", Array("Bearer ".utf8) + token)
        return metadata
    }

    /// Nil if the metadata proves it, else the status to refuse with. Takes the same time however much of a
    /// wrong token is right. For `GRPCServer.authorize`.
    package func judge(_ metadata: Metadata) -> GRPCStatus? {
        let refusal = GRPCStatus(.unauthenticated, "send the server's token: authorization: Bearer <token>")
        let values = metadata.all("authorization")
        let prefix = Array("bearer ".utf8)
        guard values.count == 1, let value = values.first, value.count == prefix.count + token.count else {
            return refusal
        }
        var difference: UInt8 = 0
        for (index, byte) in (prefix + token).enumerated() {
            let given = value[index]
            let isUpper = index < prefix.count && given >= UInt8(ascii: "A") && given <= UInt8(ascii: "Z")
            difference |= byte ^ (isUpper ? given | 0x20 : given)
        }
        return difference == 0 ? nil : refusal
    }
}
