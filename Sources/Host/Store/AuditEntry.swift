package import DomeModel

/// What an audit row is about; an open set, stored by name.
package struct AuditKind: RawRepresentable, Sendable, Hashable, CustomStringConvertible {
    package let rawValue: String
    package init(rawValue: String) { self.rawValue = rawValue }
    package var description: String { rawValue }

    /// A job was admitted; in the transaction of its row.
    package static let intent = AuditKind(rawValue: "intent")
    /// A job ended; in the transaction of its end.
    package static let outcome = AuditKind(rawValue: "outcome")
    /// A request was refused.
    package static let denied = AuditKind(rawValue: "denied")
    /// Somebody asked for a job's end.
    package static let canceled = AuditKind(rawValue: "canceled")
    package static let daemonStart = AuditKind(rawValue: "daemon_start")
    package static let daemonStop = AuditKind(rawValue: "daemon_stop")
    /// An ended job's journal was found shorter than its row said, and both were made to agree.
    package static let journalCut = AuditKind(rawValue: "journal_cut")
    /// A plugin's code crashed.
    package static let pluginCrashed = AuditKind(rawValue: "plugin_crashed")
    /// A plugin is not used any more, because it crashed or is not what was installed.
    package static let pluginQuarantined = AuditKind(rawValue: "plugin_quarantined")
    /// Old jobs were deleted.
    package static let retention = AuditKind(rawValue: "gc")
}

/// One thing to be remembered. The leaf's bytes are made here, on the caller's thread, and never again.
package struct AuditEntry: Sendable, Equatable {
    /// Nanoseconds since 1970, cut to whole microseconds as in the leaf.
    package let timeNanoseconds: Int64
    package let kind: AuditKind
    package let actorUserID: UInt32
    package let jobID: JobID?
    package let toolID: String?
    package let outcome: String?
    /// Canonical JSON (RFC 8785) of all of the above and the details: what a tree over the log hashes.
    package let leaf: [UInt8]

    /// `details` must hold no payloads, environments or secrets; digests and ids are fine. Numbers in it must be
    /// within ±2^53, as RFC 8785 has it.
    package init(
        _ kind: AuditKind, timeNanoseconds: Int64, actor: Caller, jobID: JobID? = nil, toolID: String? = nil,
        outcome: String? = nil, details: JSONObject = JSONObject()
    ) {
        let (microseconds, rest) = timeNanoseconds.quotientAndRemainder(dividingBy: 1000)
        let wholeMicroseconds = (rest < 0 ? microseconds - 1 : microseconds) * 1000
        var members = JSONObject()
        members["v"] = 1
        members["time"] = .string(Timestamp.format(nanoseconds: wholeMicroseconds))
        members["kind"] = .string(kind.rawValue)
        members["actor"] = [
            "uid": .integer(Int64(actor.userID)), "pid": .integer(Int64(actor.processID)),
        ]
        if let jobID { members["job_id"] = .string(jobID.text) }
        if let toolID { members["tool_id"] = .string(toolID) }
        if let outcome { members["outcome"] = .string(outcome) }
        if !details.isEmpty { members["details"] = .object(details) }
        self.kind = kind
        self.timeNanoseconds = wholeMicroseconds
        self.actorUserID = actor.userID
        self.jobID = jobID
        self.toolID = toolID
        self.outcome = outcome
        leaf = JSONValue.object(members).canonical
    }
}

/// A row of the audit log.
package struct AuditRow: Sendable, Equatable {
    /// Gapless from 1.
    package var seq: Int64
    /// Nanoseconds since 1970.
    package var timeNanoseconds: Int64
    package var kind: AuditKind
    package var actorUserID: UInt32
    package var jobID: JobID?
    package var toolID: String?
    package var outcome: String?
    /// Canonical JSON, byte for byte as it was written.
    package var leaf: [UInt8]
}
