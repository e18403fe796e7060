internal import DomeModel
internal import DomePlatform

extension Database {
    private static let subject = Query("SELECT kind, job_id, salt FROM audit WHERE seq = ?1")
    private static let erasePayload = Query("DELETE FROM audit_payloads WHERE seq = ?1")
    private static let eraseTask = Query(
        "UPDATE job_requests SET task_json = 'null', provenance_json = ?2 WHERE job = ?1")
    private static let eraseDigest = Query("UPDATE jobs SET request_hash = zeroblob(32) WHERE id = ?1")
    private static let rewrite = Query("UPDATE job_outcomes SET provenance_json = ?2 WHERE job = ?1")
    private static let admitted = Query("SELECT provenance_json FROM job_requests WHERE job = ?1")
    private static let ended = Query("SELECT provenance_json FROM job_outcomes WHERE job = ?1")
    private static let eraseSalt = Query("UPDATE audit SET salt = NULL WHERE seq = ?1")

    /// Erases what an event is about, and its salt, so that nobody can tell by trying either; the leaf stays as it is.
    /// Answers the event that says so. Within a transaction.
    func redact(_ redaction: AuditRedaction) throws(DomeError) -> Int64 {
        let seq = redaction.event
        let what = "redact event \(seq)"
        let subject = try connection.first(Self.subject, [.integer(seq)], what: what) { row in
            (kind: row.text(0), job: row.optionalText(1), hasSalt: !row.isNull(2))
        }
        guard let subject else {
            throw DomeError(.notFound, "the audit log has no event \(seq); it goes from 1 to \(try lastAuditSeq())")
        }
        guard subject.hasSalt else {
            throw DomeError(
                .invalidTransition,
                "event \(seq) (\(subject.kind)) has nothing to erase: it never had a payload, or it was redacted before"
            )
        }
        let id = subject.job.flatMap { JobID($0) }
        var provenance: String?
        if subject.kind == AuditKind.intent.rawValue, let id, let job = try self.job(id) {
            guard job.state.isTerminal else {
                throw DomeError(.invalidTransition, "\(id) has not ended yet; redact its task when it has")
            }
            provenance = try eraseTask(.integer(job.admissionNumber), what)
            try reach(.taskErased)
        }
        try connection.run(Self.erasePayload, [.integer(seq)], what: what)
        try connection.run(Self.eraseSalt, [.integer(seq)], what: what)
        try reach(.payloadErased)
        let said = try append(try redaction.entry(jobID: id, provenance: provenance))
        try reach(.redactionAppended)
        return said
    }

    /// Also what can be tried out: the plain digests of the task, and of the request that it was in. Returns the provenance
    /// that is left.
    private func eraseTask(_ job: SQLValue, _ what: String) throws(DomeError) -> String? {
        let admitted = try connection.first(Self.admitted, [job], what: what) { row in row.text(0) } ?? "{}"
        try connection.run(Self.eraseTask, [job, .text(Self.withoutDigest(admitted))], what: what)
        try connection.run(Self.eraseDigest, [job], what: what)
        guard let ended = try connection.first(Self.ended, [job], what: what, { row in row.text(0) }) else {
            return nil
        }
        let left = Self.withoutDigest(ended)
        try connection.run(Self.rewrite, [job, .text(left)], what: what)
        return left
    }

    /// What is no document of ours tells nothing of the task, and goes whole.
    private static func withoutDigest(_ text: String) -> String {
        var document = JSONObject()
        do throws(DomeError) { document = try JSONParser.parse(text, what: "provenance").objectValue ?? document } catch
        {
            Log.warning("audit.redacted_rubbish", ["error": error.message])
        }
        document["input_hash"] = "redacted"
        return JSONValue.object(document).compact
    }
}
