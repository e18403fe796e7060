/// How far the audit log's signed tree is behind its leaves, which are written with the jobs.
package struct AuditLag: Sendable, Equatable {
    /// Events in the log.
    package private(set) var events: Int64 = 0
    /// Those that the newest checkpoint covers.
    package private(set) var signed: Int64 = 0
    private var sinceNanoseconds: Int64?

    package init() {}

    mutating func appended(_ last: Int64, atNanoseconds now: Int64) {
        events = max(events, last)
        if events > signed, sinceNanoseconds == nil { sinceNanoseconds = now }
    }

    mutating func signed(_ size: Int64) {
        signed = max(signed, size)
        // A checkpoint covers all that is there when it is made; while blocks are caught up with, nothing is signed yet.
        if signed >= events { sinceNanoseconds = nil }
    }

    /// Events that no checkpoint covers yet.
    package var unsigned: Int64 { max(0, events - signed) }

    /// For how long there have been such events, by the monotonic clock; 0 when there are none.
    package func nanoseconds(now: Int64) -> Int64 { sinceNanoseconds.map { max(0, now - $0) } ?? 0 }
}
