internal import Glibc

/// The system's clocks, in nanoseconds.
package enum Clock {
    /// Nanoseconds since 1970, UTC; may jump.
    package static func wallNanoseconds() -> Int64 { read(CLOCK_REALTIME) }

    /// Nanoseconds since some fixed point; never goes back.
    package static func monotonicNanoseconds() -> Int64 { read(CLOCK_MONOTONIC) }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}
