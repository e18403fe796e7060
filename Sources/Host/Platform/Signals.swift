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

/// A signal that waits to be asked about instead of interrupting. Whether it has come may be asked by any thread.
package enum HeldSignal {
    /// From now on `signal` is held back, in this thread and those it starts.
    package static func hold(_ signal: Int32) {
        var set = sigset_t()
        sigemptyset(&set)
        sigaddset(&set, signal)
        pthread_sigmask(SIG_BLOCK, &set, nil)
    }

    /// Whether it was sent to the process since. Costs a system call.
    package static func hasCome(_ signal: Int32) -> Bool {
        var set = sigset_t()
        return sigpending(&set) == 0 && sigismember(&set, signal) == 1
    }
}

/// Tells where this process crashed, should it. For the process that loads a plugin.
package enum CrashReporter {
    /// The report goes to `descriptor` in one write: `head`, with the text's size at `sizeOffset` in it (nil: nowhere),
    /// and the text.
    package static func install(on descriptor: Int32, head: [UInt8], sizeOffset: Int?) {
        _ = dome_report_crashes(descriptor, head, head.count, sizeOffset.map(Int32.init) ?? -1)
    }
}
