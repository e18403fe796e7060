internal import DomeAsync
internal import DomeModel
internal import DomePlatform
internal import Glibc

/// A client at standard input and output: a message a line.
@Core
final class StandardStreams: MessageSink {
    /// A longer line is skipped, with an error in its place.
    nonisolated static let lineLimitBytes = 32 << 20
    /// While a client leaves more than this unread, nothing more is read from it.
    private static let outputHighWater = 4 << 20
    /// After the input's end, calls may go on this long; then they answer with what they have.
    private static let graceMilliseconds: UInt64 = 1_500
    private static let lastGraceMilliseconds: UInt64 = 5_000

    private let bridge: Bridge
    private let session = Session()
    private let input: FileDescriptor
    private let output: OutputPipe
    private var lines = LineBuffer(limitBytes: lineLimitBytes)
    private var registration: EventLoop.Registration?
    private let ended = OneShot<Bool>()

    /// Takes over descriptors 0 and 1; whatever else prints to standard output goes to standard error from now on.
    init(bridge: Bridge) throws(DomeError) {
        self.bridge = bridge
        signal(SIGPIPE, SIG_IGN)
        input = try Self.copy(of: 0, "standard input")
        output = OutputPipe(try Self.copy(of: 1, "standard output"))
        dup2(2, 1)
    }

    private static func copy(of number: Int32, _ what: String) throws(DomeError) -> FileDescriptor {
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw .system("use \(what)", errno) }
        return FileDescriptor(owning: copy)
    }

    /// Returns when the input has ended and what it asked for is answered, or when nobody reads any more.
    func serve() async throws(DomeError) {
        output.onChange = { [weak self] in self?.outputChanged() }
        if let registration = try? Core.loop.register(
            input, interest: .readable,
            { [weak self] _ in
                Core.assumeIsolated { self?.readSome() }
            })
        {
            self.registration = registration
        } else {
            // A file, or /dev/null: always ready, and nothing to wait for.
            readFile()
        }
        _ = await ended.wait()
        registration?.cancel()
        if output.isBroken { return }
        await settle()
    }

    func send(_ message: [UInt8]) { output.write(message) }
    func sendNotification(_ message: [UInt8]) { output.write(message) }
    func sendNothing() {}

    private func outputChanged() {
        if output.isBroken { ended.set(true) }
        registration?.setInterest(output.waitingBytes > Self.outputHighWater ? [] : .readable)
    }

    private func readFile() {
        while ended.value == nil { readSome() }
    }

    private func readSome() {
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(input.number, &chunk, chunk.count)
        if count < 0, errno == EINTR || errno == EAGAIN { return }
        if count > 0 { lines.append(chunk[..<count]) }
        while let line = lines.next() { take(line) }
        guard count <= 0 else { return }
        if let last = lines.last() { take(last) }
        registration?.cancel()
        ended.set(true)
    }

    private func take(_ line: LineBuffer.Line) {
        switch line {
        case .whole(let bytes):
            if !bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0d }) { bridge.receive(bytes, session, self) }
        case .tooLong:
            let text = "a message may have \(Self.lineLimitBytes) bytes; this one was longer and is not read"
            send(RPCText.error(.null, .invalidRequest(text)))
        }
    }

    /// Lets what is under way finish, and what is written be read.
    private func settle() async {
        await waitUntil(Self.graceMilliseconds) { self.session.calls.isEmpty }
        for call in session.calls.values { call.stopWaiting() }
        await waitUntil(Self.lastGraceMilliseconds) { self.session.calls.isEmpty }
        await waitUntil(Self.lastGraceMilliseconds) { self.output.waitingBytes == 0 || self.output.isBroken }
    }

    /// At a program's end, and there alone, asking again every few milliseconds is simpler than being told.
    private func waitUntil(_ milliseconds: UInt64, _ holds: () -> Bool) async {
        let deadline = Clock.monotonicNanoseconds() + Int64(milliseconds) * 1_000_000
        while !holds(), Clock.monotonicNanoseconds() < deadline { await Core.sleep(milliseconds: 2) }
    }
}

/// Puts lines together from what comes.
struct LineBuffer {
    enum Line: Equatable {
        case whole([UInt8])
        case tooLong
    }

    private let limitBytes: Int
    private var bytes: [UInt8] = []
    /// Where the next line begins, and up to where no newline is.
    private var start = 0
    private var searched = 0
    private var isSkipping = false

    init(limitBytes: Int) { self.limitBytes = limitBytes }

    mutating func append(_ more: ArraySlice<UInt8>) { bytes.append(contentsOf: more) }

    /// The next line without its newline; nil until there is one.
    mutating func next() -> Line? {
        guard let end = bytes[searched...].firstIndex(of: 0x0a) else {
            bytes.removeFirst(start)
            (start, searched) = (0, bytes.count)
            if bytes.count > limitBytes || isSkipping {
                isSkipping = true
                bytes.removeAll(keepingCapacity: false)
                searched = 0
            }
            return nil
        }
        let line = Array(bytes[start..<end])
        start = end + 1
        searched = start
        if isSkipping || line.count > limitBytes {
            isSkipping = false
            return .tooLong
        }
        return .whole(line)
    }

    /// What the input's end left without a newline; nil for nothing.
    mutating func last() -> Line? {
        if isSkipping { return .tooLong }
        let rest = Array(bytes[start...])
        bytes = []
        (start, searched) = (0, 0)
        return rest.isEmpty ? nil : .whole(rest)
    }
}
