internal import CLinux
package import DomeModel
internal import Glibc

/// A process held by pidfd: its pid cannot come to mean another one.
package final class ProcessHandle {
    package let processID: Int32
    package let descriptor: FileDescriptor
    private var registration: EventLoop.Registration?

    /// Opens a pidfd. E_NOT_FOUND-like errors mean that there is no such process (any more).
    package init(_ processID: Int32) throws(DomeError) {
        let number = dome_pidfd_open(processID)
        guard number >= 0 else { throw .system("hold process \(processID)", errno) }
        self.processID = processID
        descriptor = FileDescriptor(owning: number)
    }

    /// Takes a pidfd that a peer sent.
    package init(processID: Int32, descriptor: FileDescriptor) {
        self.processID = processID
        self.descriptor = descriptor
    }

    /// Whether the process is gone (a zombie counts).
    package var hasEnded: Bool {
        var poller = pollfd(fd: descriptor.number, events: Int16(POLLIN), revents: 0)
        return poll(&poller, 1, 0) > 0
    }

    /// Sends a signal; nothing happens when it is gone.
    package func send(signal: Int32) { _ = dome_pidfd_send_signal(descriptor.number, signal) }

    /// Calls `body` once on the loop's thread when the process is gone, and reaps it if it was our child.
    package func whenEnded(on loop: EventLoop, _ body: @escaping () -> Void) throws(DomeError) {
        // Holds itself until then: a child that its owner gave up must still be reaped.
        registration = try loop.register(descriptor, interest: .readable) { _ in
            self.cancel()
            var status: Int32 = 0
            waitpid(self.processID, &status, WNOHANG)
            body()
        }
    }

    /// Stops watching.
    package func cancel() {
        let ending = registration
        registration = nil
        ending?.cancel()
    }

    /// When a process was started, in clock ticks since boot (field 22 of /proc/PID/stat), so that a pid written
    /// down earlier can be told from a later process with the same number; nil when there is none, or a zombie.
    package static func startTicks(of processID: Int32) -> UInt64? {
        guard let bytes = try? Files.read("/proc/\(processID)/stat", limitBytes: 4096) else { return nil }
        // The command in parentheses may hold anything; what follows its last ')' is plain.
        let text = String(decoding: bytes, as: UTF8.self)
        guard let end = text.lastIndex(of: ")") else { return nil }
        let fields = text[text.index(after: end)...].split(separator: " ")
        // A zombie holds nothing any more; it only waits to be reaped.
        guard fields.count > 19, fields[0] != "Z", fields[0] != "X" else { return nil }
        return UInt64(fields[19])
    }
}
