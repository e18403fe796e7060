import Glibc

/// A standard stream: collects, and writes whole. A reader that hung up ends the program by SIGPIPE, as usual.
final class Output: @unchecked Sendable {
    // @unchecked: used from the main thread only, like everything of this program.

    static let stdout = Output(1)
    static let stderr = Output(2)
    private static let flushBytes = 64 << 10

    private let number: Int32
    private var buffer: [UInt8] = []
    /// Whether it is a terminal.
    let isTerminal: Bool

    init(_ number: Int32) {
        self.number = number
        isTerminal = isatty(number) == 1
    }

    func write(_ text: String) throws(CommandFailure) {
        buffer.append(contentsOf: text.utf8)
        if buffer.count >= Self.flushBytes { try flush() }
    }

    func write(_ bytes: [UInt8]) throws(CommandFailure) {
        buffer.append(contentsOf: bytes)
        if buffer.count >= Self.flushBytes { try flush() }
    }

    /// Lets `body` append to what is collected.
    func write(_ body: (inout [UInt8]) -> Void) throws(CommandFailure) {
        body(&buffer)
        if buffer.count >= Self.flushBytes { try flush() }
    }

    /// Writes what was collected. A stream that cannot be written is an error: a redirected file on a full disk
    /// must not look like success.
    func flush() throws(CommandFailure) {
        guard !buffer.isEmpty else { return }
        defer { buffer.removeAll(keepingCapacity: true) }
        if let reason = drain() {
            let name = number == 1 ? "standard output" : "standard error"
            throw CommandFailure("cannot write to \(name): \(reason)", status: ExitStatus.failure)
        }
    }

    /// For messages about failures, which have nowhere to report one of their own.
    func writeNow(_ text: String) {
        buffer.append(contentsOf: text.utf8)
        _ = drain()
        buffer.removeAll(keepingCapacity: true)
    }

    private func drain() -> String? {
        var offset = 0
        while offset < buffer.count {
            let count = buffer.withUnsafeBytes { raw -> Int in
                guard let base = raw.baseAddress else { return 0 }
                return Glibc.write(number, base + offset, raw.count - offset)
            }
            if count > 0 {
                offset += count
            } else if errno == EAGAIN {
                // Somebody made the terminal non-blocking.
                var poller = pollfd(fd: number, events: Int16(POLLOUT), revents: 0)
                poll(&poller, 1, -1)
            } else if errno != EINTR {
                return String(cString: strerror(errno))
            }
        }
        return nil
    }

    /// Columns of the terminal; nil if it is none.
    var width: Int? {
        guard isTerminal else { return nil }
        var size = winsize()
        guard ioctl(number, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
        return Int(size.ws_col)
    }

    /// Whether to colour: on a terminal, unless NO_COLOR (no-color.org) or a dumb terminal says no.
    var hasColour: Bool {
        guard isTerminal else { return false }
        if let value = getenv("NO_COLOR"), value.pointee != 0 { return false }
        guard let kind = getenv("TERM") else { return false }
        return String(cString: kind) != "dumb"
    }
}
