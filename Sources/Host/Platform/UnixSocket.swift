internal import CLinux
package import DomeModel
internal import Glibc

/// Unix-domain sockets: addresses, pairs, and messages that carry descriptors.
package enum UnixSocket {
    /// The longest path an address can hold, in bytes (sun_path is 108 with its NUL).
    package static let pathLimitBytes = 107

    /// A connected pair of SOCK_SEQPACKET sockets: message boundaries, order, descriptors.
    package static func packetPair() throws(DomeError) -> (FileDescriptor, FileDescriptor) {
        var ends: [Int32] = [-1, -1]
        let kind = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, kind, 0, &ends) == 0 else { throw .system("create a socket pair", errno) }
        return (FileDescriptor(owning: ends[0]), FileDescriptor(owning: ends[1]))
    }

    package enum Kind: Sendable { case stream, packet }

    private static func make(_ kind: Kind) throws(DomeError) -> FileDescriptor {
        let type = kind == .stream ? SOCK_STREAM : SOCK_SEQPACKET
        let number = socket(AF_UNIX, Int32(type.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { throw .system("create a socket", errno) }
        return FileDescriptor(owning: number)
    }

    /// Binds and listens; the socket file has mode 0600 from its first moment. The descriptor is non-blocking.
    package static func listen(path: String, kind: Kind, backlog: Int32 = 512) throws(DomeError) -> FileDescriptor {
        let listener = try make(kind)
        // Linux gives the file the mode of the socket (unix(7)). The umask is the whole process's: to change it, even
        // for a moment, would change what other threads create meanwhile.
        guard fchmod(listener.number, 0o600) == 0 else { throw .system("protect \(path)", errno) }
        let status = try withAddress(path) { address, size in bind(listener.number, address, size) }
        guard status == 0 else { throw .system("bind \(path)", errno) }
        guard Glibc.listen(listener.number, backlog) == 0 else { throw .system("listen on \(path)", errno) }
        try listener.setNonblocking(true)
        return listener
    }

    /// Connects; at once, unless the listener's backlog is full. Then it blocks until there is room, for
    /// `timeoutMilliseconds` at most: E_RESOURCE_EXHAUSTED, for a listener is there and takes nobody in.
    package static func connect(
        path: String, kind: Kind, timeoutMilliseconds: Int = 2_000
    ) throws(DomeError) -> FileDescriptor {
        let descriptor = try make(kind)
        // Linux takes the sending time limit for connect, too (unix(7) waits for room in the backlog).
        try limitSending(descriptor, milliseconds: timeoutMilliseconds)
        let status = try withAddress(path) { address, size in Glibc.connect(descriptor.number, address, size) }
        guard status == 0 else {
            let reason = errno
            guard reason == EAGAIN else { throw .system("connect to \(path)", reason) }
            throw DomeError(.resourceExhausted, "cannot connect to \(path): too many connections wait there already")
        }
        try limitSending(descriptor, milliseconds: 0)
        return descriptor
    }

    /// 0 lifts the limit.
    private static func limitSending(_ socket: FileDescriptor, milliseconds: Int) throws(DomeError) {
        var limit = timeval(tv_sec: milliseconds / 1000, tv_usec: milliseconds % 1000 * 1000)
        let size = socklen_t(MemoryLayout<timeval>.size)
        guard setsockopt(socket.number, SOL_SOCKET, SO_SNDTIMEO, &limit, size) == 0 else {
            throw .system("limit the time to connect", errno)
        }
    }

    /// The next waiting connection, non-blocking; nil when there is none.
    package static func accept(_ listener: FileDescriptor) throws(DomeError) -> FileDescriptor? {
        let number = dome_accept(listener.number)
        if number >= 0 { return FileDescriptor(owning: number) }
        switch errno {
        case EAGAIN, EINTR, ECONNABORTED: return nil
        default: throw .system("accept a connection", errno)
        }
    }

    private static func withAddress(
        _ path: String, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) throws(DomeError) -> Int32 {
        let bytes = Array(path.utf8)
        guard !bytes.isEmpty, bytes.count <= pathLimitBytes, !bytes.contains(0) else {
            throw DomeError(
                .invalidRequest,
                "socket path \(path) is \(bytes.count) bytes long, more than the \(pathLimitBytes) a Unix socket "
                    + "allows; set XDG_RUNTIME_DIR or --socket to a shorter one")
        }
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}

/// What a receive brought.
package enum Received {
    /// `count` bytes are in the buffer; descriptors arrive close-on-exec.
    case message(count: Int, descriptors: [FileDescriptor])
    /// Nothing there now.
    case wouldBlock
    /// The peer is gone.
    case closed
}

extension FileDescriptor {
    /// Sends one message with up to 16 descriptors, without blocking. False: the socket is full, try later.
    package func send(
        _ bytes: UnsafeRawBufferPointer, descriptors: [FileDescriptor] = []
    ) throws(DomeError) -> Bool {
        let numbers = descriptors.map(\.number)
        let sent = withExtendedLifetime(descriptors) {
            dome_send(number, bytes.baseAddress, bytes.count, numbers, Int32(numbers.count), 1)
        }
        if sent >= 0 { return true }
        if errno == EAGAIN || errno == ENOBUFS { return false }
        throw .system("send on descriptor \(number)", errno)
    }

    /// Receives one message without blocking. A message larger than `buffer`, or with more than 16
    /// descriptors, is an error: peers of ours never send one.
    package func receive(into buffer: UnsafeMutableRawBufferPointer) throws(DomeError) -> Received {
        var numbers = InlineArray<16, Int32>(repeating: -1)
        var count = Int32(numbers.count)
        var truncated: Int32 = 0
        var span = numbers.mutableSpan
        let received = span.withUnsafeMutableBufferPointer { numbers in
            let received = dome_receive(
                number, buffer.baseAddress, buffer.count, numbers.baseAddress, &count, &truncated, 1)
            guard received < 0, errno == ECONNRESET else { return received }
            // The peer ended before it had read all we sent. That is told once, and ahead of what it said last.
            count = Int32(numbers.count)
            return dome_receive(
                number, buffer.baseAddress, buffer.count, numbers.baseAddress, &count, &truncated, 1)
        }
        var descriptors: [FileDescriptor] = []
        for index in 0..<min(max(0, Int(count)), numbers.count) {
            descriptors.append(FileDescriptor(owning: numbers[index]))
        }
        if received < 0 {
            if errno == EAGAIN { return .wouldBlock }
            if errno == ECONNRESET { return .closed }
            throw .system("receive on descriptor \(number)", errno)
        }
        guard truncated == 0 else {
            throw DomeError(.internal, "message on descriptor \(number) exceeds \(buffer.count) bytes")
        }
        if received == 0 { return .closed }
        return .message(count: received, descriptors: descriptors)
    }
}
