// Room Platform: what the operating system offers, in Swift's terms: descriptors, files, Unix sockets, the
// event loop, clocks, paths, signals, the log. No policy. No concurrency runtime: the keeper and the worker
// are built from this room and must stay single-threaded programs that fork quickly.

internal import CLinux
package import DomeModel
internal import Glibc

/// An open descriptor, closed when the last reference goes. Thread-safe: the number never changes.
package final class FileDescriptor: Sendable {
    package let number: Int32

    /// Takes ownership of `number`.
    package init(owning number: Int32) { self.number = number }

    deinit { close(number) }

    /// A second descriptor for the same open file.
    package func duplicate() throws(DomeError) -> FileDescriptor {
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw .system("duplicate descriptor \(number)", errno) }
        return FileDescriptor(owning: copy)
    }

    /// Writes all of `bytes` at the descriptor's position.
    package func writeAll(_ bytes: UnsafeRawBufferPointer, what: String) throws(DomeError) {
        var offset = 0
        while offset < bytes.count, let base = bytes.baseAddress {
            let count = write(number, base + offset, bytes.count - offset)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .system("write \(what)", errno) }
            offset += count
        }
    }

    package func setNonblocking(_ enabled: Bool) throws(DomeError) {
        guard dome_set_nonblocking(number, enabled ? 1 : 0) == 0 else {
            throw .system("set descriptor \(number) non-blocking", errno)
        }
    }
}

extension DomeError {
    /// Translates an errno at the system's edge. `what` is the operation with its object, e.g. "open /x".
    /// A full disk, quota or descriptor table is E_RESOURCE_EXHAUSTED; the rest E_INTERNAL.
    package static func system(_ what: String, _ number: Int32) -> DomeError {
        let text = String(cString: strerror(number))
        let message = "cannot \(what): \(text)"
        switch number {
        case ENOSPC, EDQUOT, EMFILE, ENFILE, ENOMEM:
            return DomeError(.resourceExhausted, message, cause: "errno \(number)")
        case ENOENT: return DomeError(.notFound, message, cause: "errno \(number)")
        default: return DomeError(.internal, message, cause: "errno \(number)")
        }
    }
}
