internal import DomeModel

extension Database {
    private static let subject = Query("SELECT kind, job_id, salt FROM audit WHERE seq = ?1")
    private static let erasePayload = Query("DELETE FROM audit_payloads WHERE seq = ?1")
    private static let eraseTask = Query("UPDATE job_requests SET task_json = 'null' WHERE job = ?1")
    private static let eraseSalt = Query("UPDATE audit SET salt = NULL WHERE seq = ?1")

    /// Erases what event `seq` is about, and its salt, so that nobody can tell by trying either; the leaf stays as it is.
    /// `entry` is the event that says so. Within a transaction.
    func redact(_ seq: Int64, _ entry: AuditEntry) throws(DomeError) -> Int64 {
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
        if subject.kind == AuditKind.intent.rawValue, let id = subject.job.flatMap({ JobID($0) }),
            let job = try self.job(id)
        {
            guard job.state.isTerminal else {
                throw DomeError(.invalidTransition, "\(id) has not ended yet; redact its task when it has")
            }
            try connection.run(Self.eraseTask, [.integer(job.admissionNumber)], what: what)
        }
        try connection.run(Self.erasePayload, [.integer(seq)], what: what)
        try connection.run(Self.eraseSalt, [.integer(seq)], what: what)
        return try append(entry)
    }
}
