internal import DomePlatform
internal import Glibc

/// A TCP connection, for a daemon behind DOMED_ENDPOINT=host:port.
enum TCPSocket {
    /// Tries every address of `host` in turn; blocks.
    static func connect(host: String, port: String) throws(ClientError) -> FileDescriptor {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, port, &hints, &list)
        guard status == 0 else {
            throw .unavailable("cannot find \(host): \(String(cString: gai_strerror(status)))")
        }
        defer { freeaddrinfo(list) }
        var reason = "it has no address"
        var next = list
        while let address = next {
            next = address.pointee.ai_next
            let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
            let number = socket(address.pointee.ai_family, kind, 0)
            guard number >= 0 else { continue }
            let descriptor = FileDescriptor(owning: number)
            if Glibc.connect(number, address.pointee.ai_addr, address.pointee.ai_addrlen) == 0 {
                var on: Int32 = 1
                setsockopt(number, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
                return descriptor
            }
            reason = String(cString: strerror(errno))
        }
        throw .unavailable("no daemon answers at \(host):\(port): \(reason)")
    }
    /// The users whose sockets listen where `socket` is connected to, if that is this machine's loopback; nil for any
    /// other place. A port belongs to whoever binds it first, so a secret is for none that another user listens on.
    static func listenersOnLoopback(_ socket: FileDescriptor) -> Set<UInt32>? {
        var storage = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let isKnown = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getpeername(socket.number, $0, &size) == 0 }
        }
        guard isKnown else { return nil }
        // Both begin with family and port; the address as the kernel prints it: 32-bit words in the machine's order.
        let words: [UInt32]
        switch Int32(storage.ss_family) {
        case AF_INET:
            words = [read(&storage, sockaddr_in.self).sin_addr.s_addr]
            guard UInt32(bigEndian: words[0]) >> 24 == 127 else { return nil }
        case AF_INET6:
            words = withUnsafeBytes(of: read(&storage, sockaddr_in6.self).sin6_addr) { raw in
                (0..<4).map { raw.loadUnaligned(fromByteOffset: $0 * 4, as: UInt32.self) }
            }
            guard words == [0, 0, 0, UInt32(bigEndian: 1)] else { return nil }
        default: return nil
        }
        let port = hex(UInt32(UInt16(bigEndian: read(&storage, sockaddr_in.self).sin_port)), 4)
        let address = words.map { hex($0, 8) }.joined()
        let anywhere = String(repeating: "0", count: address.count)
        return owners(
            words.count == 1 ? "/proc/net/tcp" : "/proc/net/tcp6", ["\(address):\(port)", "\(anywhere):\(port)"]
        )
        .union(words.count == 1 ? owners("/proc/net/tcp6", [String(repeating: "0", count: 32) + ":\(port)"]) : [])
    }

    /// The uids of the listening sockets at one of `addresses`, from the kernel's table (proc_pid_net(5)).
    private static func owners(_ table: String, _ addresses: [String]) -> Set<UInt32> {
        guard let bytes = try? Files.read(table, limitBytes: 64 << 20) else { return [] }
        var owners: Set<UInt32> = []
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n").dropFirst() {
            let fields = line.split(separator: " ")
            guard fields.count > 7, fields[3] == "0A", addresses.contains(String(fields[1])) else { continue }
            // What cannot be read is nobody's.
            owners.insert(UInt32(fields[7]) ?? .max)
        }
        return owners
    }

    private static func read<Address>(_ storage: inout sockaddr_storage, _ type: Address.Type) -> Address {
        withUnsafeBytes(of: &storage) { $0.load(as: type) }
    }

    private static func hex(_ value: UInt32, _ digits: Int) -> String {
        let text = String(value, radix: 16, uppercase: true)
        return String(repeating: "0", count: digits - text.count) + text
    }
}
