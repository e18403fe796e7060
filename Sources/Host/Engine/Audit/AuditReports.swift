internal import DomeCrypto
package import DomeModel
internal import DomeStore

/// Which events to show.
package struct AuditQuery: Sendable {
    package var kind: String?
    package var toolID: String?
    package var actorUserID: UInt32?
    package var outcome: String?
    package var jobID: JobID?
    package var sinceNanoseconds: Int64?
    package var untilNanoseconds: Int64?
    /// After the event of that number; newest first: before it.
    package var position: Int64?
    package var isNewestFirst = false

    package init() {}

    /// The position that a cursor names. E_INVALID_REQUEST, with the form that is good, for what is no cursor.
    package static func position(ofCursor text: String) throws(DomeError) -> Int64 { try AuditCursor.parse(text) }

    var filter: AuditFilter {
        var filter = AuditFilter()
        filter.kind = kind
        filter.toolID = toolID
        filter.actorUserID = actorUserID
        filter.outcome = outcome
        filter.jobID = jobID
        filter.sinceNanoseconds = sinceNanoseconds
        filter.untilNanoseconds = untilNanoseconds
        return filter
    }
}

/// An event as clients see it.
package struct AuditEventReport: Sendable {
    package var seq: Int64
    package var cursor: String
    package var timeNanoseconds: Int64
    package var kind: String
    package var actorUserID: UInt32
    package var jobID: String
    package var toolID: String
    package var outcome: String
    package var leafJSON: String
    package var leafHash: String
    /// nil unless it was asked for and is still kept.
    package var payload: String?

    init(_ row: AuditRow, payload: [UInt8]?) {
        seq = row.seq
        cursor = AuditCursor.text(row.seq)
        timeNanoseconds = row.timeNanoseconds
        kind = row.kind.rawValue
        actorUserID = row.actorUserID
        jobID = row.jobID?.text ?? ""
        toolID = row.toolID ?? ""
        outcome = row.outcome ?? ""
        leafJSON = String(decoding: row.leaf, as: UTF8.self)
        leafHash = row.hash?.hex ?? ""
        self.payload = payload.map { String(decoding: $0, as: UTF8.self) }
    }
}

/// Some events.
package struct AuditEventPage: Sendable {
    package var events: [AuditEventReport]
    /// Where the next page begins; nil when there is no more.
    package var next: Int64?
    /// The last event that there was.
    package var end: Int64
}

/// A verification on its way.
package struct AuditCheck: Sendable {
    package struct Finding: Sendable {
        package var seq: Int64
        package var what: String
        package var message: String
    }

    var run: AuditVerification

    package var checked: Int64 { run.checked }
    package var total: Int64 { run.total }
    package var isDone: Bool { run.isDone }
    package var checkpointsChecked: Int { run.checkpointsChecked }
    /// In base64; empty when the tree cannot be computed.
    package var root: String { run.root.map { Base64.encode($0.bytes) } ?? "" }
    package var findings: [Finding] {
        run.findings.map { Finding(seq: $0.seq, what: $0.what, message: $0.message) }
    }
}

/// A public key as clients see it.
package struct PublicKeyReport: Sendable {
    package var verifier: String
    package var pem: String
    package var isCurrent: Bool
}
