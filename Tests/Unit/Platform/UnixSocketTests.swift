import DomeModel
import DomePlatform
import Glibc
import Testing

@Suite struct `Unix sockets` {
    let folder: Folder
    var path: String { folder.path + "/socket" }

    init() throws { folder = try Folder() }

    private func receive(_ socket: FileDescriptor, capacity: Int = 64) throws -> (text: String, [FileDescriptor])? {
        var buffer = [UInt8](repeating: 0, count: capacity)
        switch try buffer.withUnsafeMutableBytes({ try socket.receive(into: $0) }) {
        case .message(let count, let descriptors):
            return (String(decoding: buffer[..<count], as: UTF8.self), descriptors)
        case .wouldBlock, .closed: return nil
        }
    }

    private func send(_ text: String, on socket: FileDescriptor, _ descriptors: [FileDescriptor] = []) throws -> Bool {
        let bytes = Array(text.utf8)
        return try bytes.withUnsafeBytes { try socket.send($0, descriptors: descriptors) }
    }

    @Test(arguments: [UnixSocket.Kind.stream, .packet])
    func `a listener's file is its owner's alone from the first moment, whatever the umask`(
        _ kind: UnixSocket.Kind
    ) async throws {
        // The umask is the process's: in one of its own.
        await #expect(processExitsWith: .success) { [path = path as String, isStream = (kind == .stream) as Bool] in
            umask(0)
            let listener = try UnixSocket.listen(path: path, kind: isStream ? .stream : .packet)
            var status = stat()
            try #require(stat(path, &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600 && umask(0) == 0)
            #expect(try UnixSocket.accept(listener) == nil)
            let client = try UnixSocket.connect(path: path, kind: isStream ? .stream : .packet)
            let server = try #require(try UnixSocket.accept(listener))
            let peer = try Peer.of(server)
            #expect(peer.processID == getpid() && peer.isAdmissible && peer.sharesUserNamespace)
            #expect(try Peer.of(client).userID == geteuid())
            #expect(fcntl(client.number, F_GETFL) & O_NONBLOCK == 0)
            #expect(fcntl(server.number, F_GETFL) & O_NONBLOCK != 0)
            for socket in [client, server, listener] { #expect(fcntl(socket.number, F_GETFD) & FD_CLOEXEC != 0) }
        }
    }

    @Test func `nobody there, a path in use and a path too long are told apart`() throws {
        let missing = #expect(throws: DomeError.self) { try UnixSocket.connect(path: path, kind: .stream) }
        #expect(missing?.code == .notFound)
        do { _ = try UnixSocket.listen(path: path, kind: .stream) }
        let refused = #expect(throws: DomeError.self) { try UnixSocket.connect(path: path, kind: .stream) }
        #expect(refused?.cause == "errno \(ECONNREFUSED)")
        let inUse = #expect(throws: DomeError.self) { try UnixSocket.listen(path: path, kind: .stream) }
        #expect(inUse?.cause == "errno \(EADDRINUSE)")
        let long = "/tmp/" + String(repeating: "x", count: UnixSocket.pathLimitBytes - 4)
        let tooLong = #expect(throws: DomeError.self) { try UnixSocket.listen(path: long, kind: .stream) }
        #expect(tooLong?.code == .invalidRequest && tooLong?.message.contains("107") == true)
        #expect(throws: DomeError.self) { try UnixSocket.connect(path: "/tmp/a\u{0}b", kind: .stream) }
    }

    @Test func `a listener that takes nobody in is not waited for without end`() throws {
        let listener = try UnixSocket.listen(path: path, kind: .stream, backlog: 0)
        var clients: [FileDescriptor] = []
        let start = Clock.monotonicNanoseconds()
        let error = #expect(throws: DomeError.self) {
            for _ in 0..<8 {
                clients.append(try UnixSocket.connect(path: path, kind: .stream, timeoutMilliseconds: 50))
            }
        }
        #expect(error?.code == .resourceExhausted)
        #expect((40_000_000..<60_000_000_000).contains(Clock.monotonicNanoseconds() - start))
        _ = listener
    }

    @Test func `packets keep their bounds, and descriptors travel with them`() throws {
        let (left, right) = try UnixSocket.packetPair()
        #expect(try receive(right) == nil)
        let pipe = try Pipe()
        #expect(try send("one", on: left))
        #expect(try send("two", on: left, [pipe.writing, pipe.reading]))
        let first = try #require(try receive(right))
        #expect(first.text == "one" && first.1.isEmpty)
        let second = try #require(try receive(right))
        #expect(second.text == "two" && second.1.count == 2)
        #expect(second.1.allSatisfy { fcntl($0.number, F_GETFD) & FD_CLOEXEC != 0 })
        write("through", to: second.1[0])
        var buffer = [UInt8](repeating: 0, count: 16)
        #expect(read(pipe.reading.number, &buffer, 16) == 7)
    }

    @Test func `a full socket says so instead of blocking`() throws {
        let (left, right) = try UnixSocket.packetPair()
        var sent = 0
        while try send(String(repeating: "x", count: 1000), on: left) { sent += 1 }
        #expect(sent > 0)
        #expect(try receive(right, capacity: 1000) != nil)
        #expect(try send("x", on: left))
    }

    @Test func `a peer that is gone is closed, not an error`() throws {
        let ends = try UnixSocket.packetPair()
        #expect(try send("last", on: ends.1))
        try #require(shutdown(ends.1.number, Int32(SHUT_RDWR)) == 0)
        #expect(try receive(ends.0)?.text == "last")
        var buffer = [UInt8](repeating: 0, count: 16)
        let received = try buffer.withUnsafeMutableBytes { try ends.0.receive(into: $0) }
        guard case .closed = received else {
            Issue.record("\(received)")
            return
        }
        let error = #expect(throws: DomeError.self) { try send("x", on: ends.0) }
        #expect(error?.cause == "errno \(EPIPE)")
    }

    /// In a process of its own: descriptors are counted.
    @Test func `a message that does not fit is refused and leaks no descriptor`() async {
        await #expect(processExitsWith: .success) {
            let (left, right) = try UnixSocket.packetPair()
            let pipe = try Pipe()
            let before = try Files.list("/proc/self/fd").count
            let bytes = [UInt8](repeating: 1, count: 20)
            for _ in 0..<50 {
                _ = try bytes.withUnsafeBytes { try left.send($0, descriptors: [pipe.reading, pipe.writing]) }
                var small = [UInt8](repeating: 0, count: 4)
                #expect(throws: DomeError.self) { try small.withUnsafeMutableBytes { try right.receive(into: $0) } }
            }
            // The test library opens some, too; a leak would be a hundred.
            #expect(try Files.list("/proc/self/fd").count < before + 50)
            #expect(throws: DomeError.self) {
                try bytes.withUnsafeBytes {
                    try left.send($0, descriptors: Array(repeating: pipe.reading, count: 17))
                }
            }
        }
    }
}
