package import DomeCrypto
package import DomeModel

/// A job as lists show it.
package struct JobRecord: Sendable, Equatable {
    package var jobID: JobID
    package var toolID: String
    package var profile: String
    package var state: JobState
    /// One word for programs; empty until the job has ended.
    package var reason: String
    package var message: String
    /// Nanoseconds since 1970.
    package var createdNanoseconds: Int64
    package var startedNanoseconds: Int64?
    package var endedNanoseconds: Int64?
    package var exitCode: Int32?
    package var signal: Int32?
    /// The seq of the terminal event; 0 until the job has ended.
    package var lastSeq: UInt64
    package var outputBytes: UInt64
    package var idempotencyKey: String
    /// All zero once the task was redacted.
    package var requestHash: Digest
    package var caller: Caller
    /// Grows with every admission; the order of lists.
    package var admissionNumber: Int64

    /// A job has one run.
    package var runID: String { jobID.runID }

    /// For a request that came with this job's key and is not the one that made it.
    package var refusalOfKey: DomeError {
        let key = "idempotency_key '\(idempotencyKey.prefix(128))' belongs to \(jobID), "
        guard requestHash.bytes.contains(where: { $0 != 0 }) else {
            return DomeError(
                .idempotencyKeyReused,
                key + "whose task was redacted: whether this is the same request cannot be told; send a new key")
        }
        return DomeError(
            .idempotencyKeyReused, key + "which was another request; send a new key with a new request")
    }
}

/// A job with its documents.
package struct JobDetail: Sendable, Equatable {
    package var record: JobRecord
    package var taskJSON: String
    package var constraintsJSON: String
    package var grantsJSON: String
    /// What was known at admission, until the job has ended; then what was found at the end.
    package var provenanceJSON: String
    /// "{}" until the job has ended, like the next two.
    package var planJSON: String
    package var enforcementJSON: String
    package var resourcesJSON: String
    package var artifacts: [Artifact]
}

extension JobRecord {
    /// The columns `init(_ row:)` reads, in its order.
    static let columns = """
        id, job_id, tool_id, profile, state, reason, message, created_ns, started_ns, ended_ns, exit_code, signal, \
        last_seq, output_bytes, idempotency_key, request_hash, client_uid, client_pid
        """

    /// Reads a row of `columns`. Values that no dome wrote are an error, not a guess.
    init(_ row: Row, path: String) throws(DomeError) {
        let idText = row.text(1)
        let stateNumber = row.integer(4)
        guard let jobID = JobID(idText), let state = JobState(rawValue: Int32(clamping: stateNumber)),
            let requestHash = Digest(bytes: row.blob(15))
        else {
            throw .damagedDatabase(path, cause: "row \(row.integer(0)) of jobs: id \(idText), state \(stateNumber)")
        }
        self.jobID = jobID
        self.state = state
        self.requestHash = requestHash
        admissionNumber = row.integer(0)
        toolID = row.text(2)
        profile = row.text(3)
        reason = row.text(5)
        message = row.text(6)
        createdNanoseconds = row.integer(7)
        startedNanoseconds = row.optionalInteger(8)
        endedNanoseconds = row.optionalInteger(9)
        exitCode = row.optionalInteger32(10)
        signal = row.optionalInteger32(11)
        lastSeq = UInt64(clamping: row.integer(12))
        outputBytes = UInt64(clamping: row.integer(13))
        idempotencyKey = row.text(14)
        caller = Caller(
            userID: UInt32(clamping: row.integer(16)), processID: Int32(clamping: row.integer(17)))
    }
}
