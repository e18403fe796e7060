package import DomeCrypto
package import DomeModel

/// A file a job left behind.
package struct Artifact: Sendable, Equatable {
    package var kind: String
    package var path: String
    /// nil when it could not be read.
    package var sha256: Digest?
    package var byteCount: UInt64

    package init(kind: String, path: String, sha256: Digest?, byteCount: UInt64) {
        self.kind = kind
        self.path = path
        self.sha256 = sha256
        self.byteCount = byteCount
    }
}

/// What `Store.finish` writes: a job's one end, and the audit's outcome.
package struct FinishedJob: Sendable {
    package var jobID: JobID
    /// A terminal state.
    package var state: JobState
    /// One word for programs, e.g. "exited", "timeout", "keeper_lost".
    package var reason: String
    /// For people.
    package var message = ""
    /// Nanoseconds since 1970; nil if it never started (then it cannot have succeeded).
    package var startedNanoseconds: Int64?
    package var endedNanoseconds: Int64
    package var exitCode: Int32?
    package var signal: Int32?
    /// The seq of the terminal event: the journal's last.
    package var lastSeq: UInt64
    /// What the job's folder takes on disk, for retention by size.
    package var outputBytes: UInt64 = 0
    package var provenanceJSON = "{}"
    package var planJSON = "{}"
    package var enforcementJSON = "{}"
    package var resourcesJSON = "{}"
    package var artifacts: [Artifact] = []
    /// Written in the same transaction.
    package var outcome: AuditEntry

    package init(
        jobID: JobID, state: JobState, reason: String, endedNanoseconds: Int64, lastSeq: UInt64, outcome: AuditEntry
    ) {
        self.jobID = jobID
        self.state = state
        self.reason = reason
        self.endedNanoseconds = endedNanoseconds
        self.lastSeq = lastSeq
        self.outcome = outcome
    }
}

/// What became of a finish.
package struct FinishReceipt: Sendable, Equatable {
    /// The job as it is stored.
    package var record: JobRecord
    /// True when it had ended in the same way before: nothing was written.
    package var isRepeat: Bool
}
