internal import DomeProto

/// Which events of the audit log; what is empty does not restrict.
package struct AuditFilter: Sendable, Equatable {
    package var kind = ""
    package var toolID = ""
    package var actorUserID: UInt32?
    package var outcome = ""
    package var jobID = ""
    /// RFC 3339, like the next.
    package var since = ""
    package var until = ""
    package var afterCursor = ""
    package var isNewestFirst = false
    /// 0 is all.
    package var limit: UInt32 = 0
    package var isFollowing = false
    package var hasPayloads = false
    package init() {}
}

/// An event of the audit log.
package struct AuditEvent: Sendable, Equatable {
    package var seq: UInt64 = 0
    package var cursor = ""
    package var time = ""
    package var kind = ""
    package var actorUserID: UInt32 = 0
    package var jobID = ""
    package var toolID = ""
    package var outcome = ""
    /// Canonical JSON, as the tree has it.
    package var leafJSON = ""
    package var leafHash = ""
    package var payload: String?
    package init() {}

    /// Nil if the message is malformed.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let message = try? Domed_V1_QueryAuditResponse.decode(bytes) else { return nil }
        seq = message.seq
        cursor = message.cursor
        time = message.ts
        kind = message.kind
        actorUserID = message.actorUid
        jobID = message.jobId
        toolID = message.toolId
        outcome = message.outcome
        leafJSON = message.leafJson
        leafHash = message.leafHash
        payload = message.payload
    }
}

/// How far a verification is, and at its end what came of it.
package struct AuditVerdict: Sendable, Equatable {
    package struct Finding: Sendable, Equatable {
        package var seq: UInt64
        package var what: String
        package var message: String
    }

    package var checked: UInt64 = 0
    package var total: UInt64 = 0
    package var isDone = false
    package var isGood = false
    package var checkpointsChecked: UInt64 = 0
    package var root = ""
    package var checkpoint = ""
    package var findings: [Finding] = []
    package init() {}

    /// Nil if the message is malformed.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let message = try? Domed_V1_VerifyAuditResponse.decode(bytes) else { return nil }
        checked = message.checked
        total = message.total
        isDone = message.done
        isGood = message.ok
        checkpointsChecked = message.checkpointsChecked
        root = message.root
        checkpoint = message.checkpoint
        findings = message.findings.map { Finding(seq: $0.seq, what: $0.what, message: $0.message) }
    }
}

/// A public key of the daemon's.
package struct PublicKey: Sendable, Equatable {
    package var verifier = ""
    package var pem = ""
    package var isCurrent = false
    package init() {}

    init(_ message: Domed_V1_PublicKey) {
        verifier = message.verifier
        pem = message.pem
        isCurrent = message.current
    }
}

/// What came of running a job once more.
package struct Rerun: Sendable, Equatable {
    package var jobID = ""
    package var runID = ""
    package var drifts: [String] = []
    package init() {}
}
