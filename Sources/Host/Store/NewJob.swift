package import DomeCrypto
package import DomeModel

/// What `Store.admit` writes: a job in state `queued`, its request, and the audit's intent.
package struct NewJob: Sendable {
    package var jobID: JobID
    package var toolID: String
    package var profile: String
    /// Names the request for as long as the job is kept; not empty.
    package var idempotencyKey: String
    /// Over what makes two requests the same (skill_id, profile, canonical task, constraints without wait_ms).
    package var requestHash: Digest
    package var caller: Caller
    /// Nanoseconds since 1970.
    package var createdNanoseconds: Int64
    package var taskJSON = "{}"
    package var constraintsJSON = "{}"
    /// A JSON array of permissions in their text form.
    package var grantsJSON = "[]"
    /// What is known of the provenance before the job runs.
    package var provenanceJSON = "{}"
    /// Written in the same transaction, before anything is spawned.
    package var intent: AuditEntry

    package init(
        jobID: JobID, toolID: String, profile: String, idempotencyKey: String, requestHash: Digest, caller: Caller,
        createdNanoseconds: Int64, intent: AuditEntry
    ) {
        self.jobID = jobID
        self.toolID = toolID
        self.profile = profile
        self.idempotencyKey = idempotencyKey
        self.requestHash = requestHash
        self.caller = caller
        self.createdNanoseconds = createdNanoseconds
        self.intent = intent
    }
}

/// What became of an admission.
package enum Admission: Sendable, Equatable {
    /// The job and its intent are on disk.
    case admitted(JobRecord)
    /// The key had been used for the very same request: this is that job; nothing was written.
    case replayed(JobRecord)
}
