internal import DomeCrypto
internal import DomeModel

extension Database {
    private static let byKey = Query("SELECT \(JobRecord.columns) FROM jobs WHERE idempotency_key = ?1")
    private static let insertJob = Query(
        """
        INSERT INTO jobs(job_id, tool_id, profile, state, created_ns, idempotency_key, request_hash, client_uid,
            client_pid) VALUES(?1, ?2, ?3, 1, ?4, ?5, ?6, ?7, ?8)
        """)
    private static let insertRequest = Query("INSERT INTO job_requests VALUES(?1, ?2, ?3, ?4, ?5, ?6)")

    /// The job that used `key`, or nil.
    func job(forKey key: String) throws(DomeError) -> JobRecord? {
        try connection.first(Self.byKey, [.text(key)], what: "look an idempotency key up") { row throws(DomeError) in
            try JobRecord(row, path: path)
        }
    }

    /// Decides by the idempotency key, then writes job, request and intent.
    func admit(_ job: NewJob) throws(DomeError) -> Admission {
        if let existing = try self.job(forKey: job.idempotencyKey) {
            guard existing.requestHash == job.requestHash else { throw existing.refusalOfKey }
            return .replayed(existing)
        }
        let number = try insert(job)
        let intent = try append(job.intent)
        try reach(.intentAppended)
        let what = "store the request of \(job.jobID)"
        try connection.run(
            Self.insertRequest,
            [
                .integer(number), .text(job.taskJSON), .text(job.constraintsJSON), .text(job.grantsJSON),
                .text(job.provenanceJSON), .integer(intent),
            ], what: what)
        try reach(.requestInserted)
        return .admitted(record(of: job, number: number))
    }

    private func insert(_ job: NewJob) throws(DomeError) -> Int64 {
        try connection.run(
            Self.insertJob,
            [
                .text(job.jobID.text), .text(job.toolID), .text(job.profile), .integer(job.createdNanoseconds),
                .text(job.idempotencyKey), .blob(job.requestHash.bytes), .integer(Int64(job.caller.userID)),
                .integer(Int64(job.caller.processID)),
            ], what: "store \(job.jobID)")
        let number = connection.lastInsertedRow
        try reach(.jobInserted)
        return number
    }

    private func record(of job: NewJob, number: Int64) -> JobRecord {
        JobRecord(
            jobID: job.jobID, toolID: job.toolID, profile: job.profile, state: .queued, reason: "", message: "",
            createdNanoseconds: job.createdNanoseconds, lastSeq: 0, outputBytes: 0,
            idempotencyKey: job.idempotencyKey, requestHash: job.requestHash, caller: job.caller,
            admissionNumber: number)
    }
}
