internal import CLinux
package import DomeModel
internal import Glibc

/// Signals as readable events. Call before any thread is started: the mask is inherited.
package final class SignalSource {
    private let descriptor: FileDescriptor
    private var registration: EventLoop.Registration?

    /// Blocks `signals` and calls `handler` on the loop's thread with each that arrives.
    package init(_ signals: [Int32], on loop: EventLoop, _ handler: @escaping (Int32) -> Void) throws(DomeError) {
        let number = dome_signalfd(signals, Int32(signals.count))
        guard number >= 0 else { throw .system("read signals", errno) }
        let descriptor = FileDescriptor(owning: number)
        self.descriptor = descriptor
        registration = try loop.register(descriptor, interest: .readable) { _ in
            while case let signal = dome_signalfd_read(descriptor.number), signal > 0 { handler(signal) }
        }
    }

    package func cancel() { registration?.cancel() }
}

/// Process-wide settings for a long-lived program.
package enum ProcessSetup {
    /// Ignores SIGPIPE and raises the descriptor limit to the hard one; returns the soft limit found, which
    /// children get back.
    @discardableResult
    package static func prepare() -> UInt64 {
        signal(SIGPIPE, SIG_IGN)
        var (soft, hard) = (UInt64(0), UInt64(0))
        _ = dome_raise_nofile(&soft, &hard)
        return soft
    }
}
