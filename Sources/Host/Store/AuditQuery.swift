package import DomeModel

/// Which leaves of the audit log; what is nil does not restrict, the rest is ANDed.
package struct AuditFilter: Sendable, Equatable {
    package var kind: String?
    package var toolID: String?
    package var actorUserID: UInt32?
    package var outcome: String?
    package var jobID: JobID?
    /// Nanoseconds since 1970: at or after.
    package var sinceNanoseconds: Int64?
    /// Nanoseconds since 1970: before.
    package var untilNanoseconds: Int64?

    package init() {}

    /// What the index has of it.
    var terms: [String] {
        [
            kind.map(AuditTerm.kind), toolID.map(AuditTerm.tool), actorUserID.map(AuditTerm.actor),
            outcome.map(AuditTerm.outcome),
        ].compactMap { $0 }
    }

    func admits(_ row: AuditRow) -> Bool {
        if let kind, row.kind.rawValue != kind { return false }
        if let toolID, row.toolID != toolID { return false }
        if let actorUserID, row.actorUserID != actorUserID { return false }
        if let outcome, row.outcome != outcome { return false }
        if let jobID, row.jobID != jobID { return false }
        return admits(row.timeNanoseconds)
    }

    func admits(_ timeNanoseconds: Int64) -> Bool {
        if let sinceNanoseconds, timeNanoseconds < sinceNanoseconds { return false }
        if let untilNanoseconds, timeNanoseconds >= untilNanoseconds { return false }
        return true
    }

    /// Whether leaves of these times may be among them.
    func mayAdmit(_ times: ClosedRange<Int64>) -> Bool {
        if let sinceNanoseconds, times.upperBound < sinceNanoseconds { return false }
        if let untilNanoseconds, times.lowerBound >= untilNanoseconds { return false }
        return true
    }

    func admitsAll(_ times: ClosedRange<Int64>) -> Bool { admits(times.lowerBound) && admits(times.upperBound) }
}

/// Where a query goes on: `a1-` and the number of the last leaf that was shown, in hexadecimal. Clients pass it on as it
/// is; leaves stay, so it is good for ever.
package enum AuditCursor {
    private static let prefix = "a1-"

    package static func text(_ seq: Int64) -> String { prefix + String(seq, radix: 16) }

    package static func parse(_ text: String) throws(DomeError) -> Int64 {
        let digits = text.dropFirst(prefix.count)
        guard text.hasPrefix(prefix), let seq = Int64(digits, radix: 16), seq >= 0, Self.text(seq) == text else {
            throw DomeError(
                .invalidRequest,
                "after_cursor: '\(text.prefix(64))' is no cursor; they look like a1-1f4, and every event of 'dome audit "
                    + "-o json' has one")
        }
        return seq
    }
}

/// Some leaves of a query.
package struct AuditPage: Sendable {
    package var rows: [AuditRow] = []
    /// The page before the end, or the end of what could be looked through in one go: go on from here; nil when there is
    /// no more.
    package var next: Int64?
    /// The last event that there was when it was looked.
    package var end: Int64 = 0
}
