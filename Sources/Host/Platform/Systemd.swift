internal import Glibc

/// The two sides of systemd's protocol that a service needs: sd_listen_fds(3) and sd_notify(3). Spoken directly:
/// they are an environment variable and a datagram, and libsystemd would be a dependency for that.
package enum Systemd {
    /// The sockets that the service manager passed (numbers 3 and up), made close-on-exec; none if it passed none or
    /// they were meant for another process. The variables are removed: children must not take them for theirs.
    package static func listenDescriptors() -> [FileDescriptor] {
        defer {
            unsetenv("LISTEN_PID")
            unsetenv("LISTEN_FDS")
            unsetenv("LISTEN_FDNAMES")
        }
        guard let pid = getenv("LISTEN_PID").flatMap({ Int32(String(cString: $0)) }), pid == getpid(),
            let count = getenv("LISTEN_FDS").flatMap({ Int32(String(cString: $0)) }), (1...16).contains(count)
        else { return [] }
        return (3..<(3 + count)).map { number in
            _ = fcntl(number, F_SETFD, FD_CLOEXEC)
            return FileDescriptor(owning: number)
        }
    }

    /// Within which time the service manager wants to hear `WATCHDOG=1`; nil if it does not, or means another process.
    package static let watchdogMilliseconds: UInt64? = {
        func number(_ name: String) -> UInt64? { getenv(name).flatMap { UInt64(String(cString: $0)) } }
        guard let microseconds = number("WATCHDOG_USEC"), (100_000...3_600_000_000).contains(microseconds),
            number("WATCHDOG_PID").map({ $0 == UInt64(getpid()) }) ?? true
        else { return nil }
        return microseconds / 1000
    }()

    /// Tells the service manager, e.g. `READY=1`; nothing happens when there is none.
    package static func notify(_ state: String) {
        guard let variable = getenv("NOTIFY_SOCKET") else { return }
        _ = Datagram.send(Array(state.utf8), to: String(cString: variable), mayWait: true)
    }
}
