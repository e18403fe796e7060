internal import DomeCrypto
internal import DomeModel
internal import DomePlatform

extension Database {
    private static let mark = Query("UPDATE jobs SET state = 2, started_ns = ?2 WHERE job_id = ?1 AND state = 1")
    private static let update = Query(
        """
        UPDATE jobs SET state = ?2, reason = ?3, message = ?4, started_ns = ?5, ended_ns = ?6, exit_code = ?7,
            signal = ?8, last_seq = ?9, output_bytes = ?10 WHERE id = ?1
        """)
    private static let shorten = Query(
        "UPDATE jobs SET last_seq = ?2, output_bytes = ?3 WHERE job_id = ?1 AND state > 2")
    private static let insertOutcome = Query("INSERT INTO job_outcomes VALUES(?1, ?2, ?3, ?4, ?5, ?6)")
    private static let insertArtifact = Query("INSERT INTO artifacts VALUES(?1, ?2, ?3, ?4, ?5, ?6)")

    /// Takes a queued job to running; one that is not queued (any more) is left alone.
    func markRunning(_ id: JobID, startedNanoseconds: Int64) throws(DomeError) {
        try connection.run(Self.mark, [.text(id.text), .integer(startedNanoseconds)], what: "mark \(id) running")
    }

    /// Ends a job once. The same end again changes nothing; another end is E_INVALID_TRANSITION.
    func finish(_ job: FinishedJob) throws(DomeError) -> FinishReceipt {
        guard let stored = try self.job(job.jobID) else {
            throw DomeError(.notFound, "job not found: \(job.jobID)")
        }
        if stored.state.isTerminal {
            guard Self.isSameEnd(stored, job) else { throw Self.refusal(stored, job.state) }
            return FinishReceipt(record: stored, isRepeat: true)
        }
        let record = try Self.ended(stored, by: job)
        try write(record, job)
        return FinishReceipt(record: record, isRepeat: false)
    }

    /// Has an ended job's row say what its journal holds, and the audit log that it was not so.
    func mend(_ id: JobID, _ actor: Caller, lastSeq: UInt64, bytes: UInt64) throws(DomeError) {
        guard let stored = try job(id) else { throw DomeError(.notFound, "job not found: \(id)") }
        guard stored.lastSeq != lastSeq else { return }
        try connection.run(
            Self.shorten,
            [.text(id.text), .integer(Int64(clamping: lastSeq)), .integer(Int64(clamping: bytes))],
            what: "correct \(id)")
        let details: JSONObject = [
            "last_seq": .integer(Int64(clamping: lastSeq)), "was": .integer(Int64(clamping: stored.lastSeq)),
        ]
        _ = try append(
            AuditEntry(
                .journalCut, timeNanoseconds: Clock.wallNanoseconds(), actor: actor, jobID: id,
                toolID: stored.toolID, details: details))
    }

    private static func isSameEnd(_ stored: JobRecord, _ job: FinishedJob) -> Bool {
        stored.state == job.state && stored.reason == job.reason && stored.exitCode == job.exitCode
            && stored.signal == job.signal && stored.lastSeq == job.lastSeq
    }

    private static func refusal(_ stored: JobRecord, _ next: JobState) -> DomeError {
        DomeError(
            .invalidTransition,
            "job \(stored.jobID) is \(stored.state.name) (\(stored.reason), last seq \(stored.lastSeq)) and cannot "
                + "become \(next.name)")
    }

    /// `stored` with the end applied. A start time says that the job ran, even if it was never marked running.
    private static func ended(_ stored: JobRecord, by job: FinishedJob) throws(DomeError) -> JobRecord {
        let started = job.startedNanoseconds ?? stored.startedNanoseconds
        let before: JobState = started != nil && stored.state.mayBecome(.running) ? .running : stored.state
        guard job.state.isTerminal, before.mayBecome(job.state) else { throw refusal(stored, job.state) }
        var record = stored
        record.state = job.state
        record.reason = job.reason
        record.message = job.message
        record.startedNanoseconds = started
        record.endedNanoseconds = job.endedNanoseconds
        record.exitCode = job.exitCode
        record.signal = job.signal
        record.lastSeq = job.lastSeq
        record.outputBytes = job.outputBytes
        return record
    }

    private func write(_ record: JobRecord, _ job: FinishedJob) throws(DomeError) {
        let what = "store the end of \(record.jobID)"
        try connection.run(
            Self.update,
            [
                .integer(record.admissionNumber), .integer(Int64(record.state.rawValue)), .text(record.reason),
                .text(record.message), SQLValue(record.startedNanoseconds), SQLValue(record.endedNanoseconds),
                SQLValue(record.exitCode), SQLValue(record.signal), .integer(Int64(clamping: record.lastSeq)),
                .integer(Int64(clamping: record.outputBytes)),
            ], what: what)
        try reach(.jobUpdated)
        let outcome = try append(job.outcome)
        try reach(.outcomeAppended)
        try connection.run(
            Self.insertOutcome,
            [
                .integer(record.admissionNumber), .text(job.provenanceJSON), .text(job.planJSON),
                .text(job.enforcementJSON), .text(job.resourcesJSON), .integer(outcome),
            ], what: what)
        try reach(.outcomeInserted)
        var position: Int64 = 0
        for artifact in job.artifacts {
            try connection.run(
                Self.insertArtifact,
                [
                    .integer(record.admissionNumber), .integer(position), .text(artifact.kind), .text(artifact.path),
                    artifact.sha256.map { .blob($0.bytes) } ?? .null, .integer(Int64(clamping: artifact.byteCount)),
                ], what: what)
            position += 1
            try reach(.artifactInserted)
        }
    }
}
