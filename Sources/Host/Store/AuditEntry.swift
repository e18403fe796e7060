package import DomeCrypto
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
    /// A tool is not what it was when it was first run, and not used any more.
    package static let toolQuarantined = AuditKind(rawValue: "tool_quarantined")
    /// A person took it for what it is meant to be.
    package static let toolAccepted = AuditKind(rawValue: "tool_accepted")
    /// Old jobs were deleted.
    package static let retention = AuditKind(rawValue: "gc")
    /// A leaf's payload was erased.
    package static let redacted = AuditKind(rawValue: "redacted")
    /// A key that checkpoints and provenance are signed with was taken into use.
    package static let key = AuditKind(rawValue: "key")
}

/// One thing to be remembered. What its leaf says is put into bytes here, on the caller's thread; the store adds the
/// leaf's number.
package struct AuditEntry: Sendable, Equatable {
    /// Nanoseconds since 1970, cut to whole microseconds as in the leaf.
    package let timeNanoseconds: Int64
    package let kind: AuditKind
    package let actorUserID: UInt32
    package let jobID: JobID?
    package let toolID: String?
    package let outcome: String?
    /// Of the payload, whose code is in the leaf; nil when there is none. Erased with the payload.
    package let salt: [UInt8]?
    /// The payload, if the log itself is to keep it; a job's lies with its request.
    package let payload: [UInt8]?
    /// The leaf up to its number, and from there on.
    private let head: [UInt8]
    private let tail: [UInt8]

    /// `details` must hold no payloads, environments or secrets; digests and ids are fine. Numbers in it must be
    /// within ±2^53, as RFC 8785 has it.
    package init(
        _ kind: AuditKind, timeNanoseconds: Int64, actor: Caller, jobID: JobID? = nil, toolID: String? = nil,
        outcome: String? = nil, details: JSONObject = JSONObject(), payload: AuditPayload? = nil
    ) {
        let (microseconds, rest) = timeNanoseconds.quotientAndRemainder(dividingBy: 1000)
        let wholeMicroseconds = (rest < 0 ? microseconds - 1 : microseconds) * 1000
        // RFC 8785 sorts members: these stand before "seq" …
        var members: JSONObject = [
            "actor": ["pid": .integer(Int64(actor.processID)), "uid": .integer(Int64(actor.userID))]
        ]
        if !details.isEmpty { members["details"] = .object(details) }
        if let jobID { members["job_id"] = .string(jobID.text) }
        members["kind"] = .string(kind.rawValue)
        if let outcome { members["outcome"] = .string(outcome) }
        if let payload { members["payload"] = .string(payload.codeText) }
        head = Array(JSONValue.object(members).canonical.dropLast()) + Array(",\"seq\":".utf8)
        // … and these after it.
        var later: JSONObject = ["time": .string(Timestamp.format(nanoseconds: wholeMicroseconds))]
        if let toolID { later["tool_id"] = .string(toolID) }
        later["v"] = 1
        tail = [UInt8(ascii: ",")] + JSONValue.object(later).canonical.dropFirst()
        self.kind = kind
        self.timeNanoseconds = wholeMicroseconds
        self.actorUserID = actor.userID
        self.jobID = jobID
        self.toolID = toolID
        self.outcome = outcome
        salt = payload?.salt
        self.payload = payload.flatMap { $0.isKeptHere ? $0.bytes : nil }
    }

    /// Canonical JSON (RFC 8785) of all of the above and of its number: what the tree hashes.
    package func leaf(seq: Int64) -> [UInt8] {
        var leaf = head
        leaf.reserveCapacity(head.count + tail.count + 20)
        leaf.append(contentsOf: String(seq).utf8)
        leaf.append(contentsOf: tail)
        return leaf
    }
}

/// What a leaf is about and must not hold itself: the leaf has a code of it under a salt of its own, so that nobody can
/// guess it from the log, and so that it can be erased without a trace but that it was there.
package struct AuditPayload: Sendable, Equatable {
    package let bytes: [UInt8]
    package let salt: [UInt8]
    /// Whether the log keeps the bytes; a job's task lies with the job.
    package let isKeptHere: Bool
    let code: Digest

    package static let saltByteCount = 16
    package static let codePrefix = "hmac-sha256:"

    package init(_ bytes: [UInt8], isKeptHere: Bool) throws(DomeError) {
        salt = try SecureRandom.bytes(Self.saltByteCount)
        code = try HMACSHA256.code(bytes, key: salt)
        self.bytes = bytes
        self.isKeptHere = isKeptHere
    }

    var codeText: String { Self.codePrefix + code.hex }
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
    /// SHA-256 as RFC 6962 has it for leaves; nil in rows of before version 4 that were not visited yet.
    package var hash: Digest?
}
