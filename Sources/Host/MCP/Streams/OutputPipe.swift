internal import DomeAsync
internal import DomeModel
internal import DomePlatform
internal import Glibc

/// Writes lines to whatever standard output is, and never waits for its reader: what does not fit is kept until it
/// does. The descriptor that was given stays as it is, blocking or not, because others may share it.
@Core
final class OutputPipe {
    private let descriptor: FileDescriptor
    private var waiting: [UInt8] = []
    private var written = 0
    private var registration: EventLoop.Registration?
    /// Whether the reader is gone.
    private(set) var isBroken = false
    /// Called when the reader is gone, or has taken something that had to wait.
    var onChange: (() -> Void)?

    /// Whether a write may block: for what is no socket and cannot be opened anew.
    private let mayBlock: Bool
    private let isSocket: Bool
    /// So much a pipe takes without waiting once poll(2) says that it takes anything (pipe(7)).
    private static let pieceBytes = 4_096

    init(_ given: FileDescriptor) {
        var status = stat()
        fstat(given.number, &status)
        isSocket = status.st_mode & S_IFMT == S_IFSOCK
        // A pipe can be opened once more, and then has a mode of its own.
        let isPipe = status.st_mode & S_IFMT == S_IFIFO
        let own = isPipe ? try? Files.open("/proc/self/fd/\(given.number)", O_WRONLY | O_NONBLOCK | O_CLOEXEC) : nil
        descriptor = own ?? given
        mayBlock = own == nil && !isSocket
    }

    /// How many bytes wait.
    var waitingBytes: Int { waiting.count - written }

    func write(_ line: [UInt8]) {
        guard !isBroken else { return }
        let wasEmpty = waitingBytes == 0
        waiting.append(contentsOf: line)
        waiting.append(0x0a)
        if wasEmpty { drain() }
        if waitingBytes > 0 { onChange?() }
    }

    private func drain() {
        while waitingBytes > 0, !mayBlock || isWritable() {
            let count = waiting[written...].withUnsafeBytes { writeSome($0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            if count < 0, errno == EAGAIN { break }
            guard count > 0 else {
                isBroken = true
                waiting = []
                written = 0
                registration?.cancel()
                onChange?()
                return
            }
            written += count
        }
        if waitingBytes == 0 {
            waiting.removeAll(keepingCapacity: waiting.count < 1 << 20)
            written = 0
            registration?.setInterest([])
        } else {
            waitUntilWritable()
        }
    }

    private func writeSome(_ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
        if isSocket { return send(descriptor.number, bytes, count, Int32(MSG_DONTWAIT) | Int32(MSG_NOSIGNAL)) }
        return Glibc.write(descriptor.number, bytes, mayBlock ? min(count, Self.pieceBytes) : count)
    }

    private func isWritable() -> Bool {
        var poller = pollfd(fd: descriptor.number, events: Int16(POLLOUT), revents: 0)
        return poll(&poller, 1, 0) > 0
    }

    private func waitUntilWritable() {
        if let registration { return registration.setInterest(.writable) }
        registration = try? Core.loop.register(descriptor, interest: .writable) { [weak self] _ in
            Core.assumeIsolated {
                guard let self else { return }
                self.drain()
                self.onChange?()
            }
        }
    }
}
