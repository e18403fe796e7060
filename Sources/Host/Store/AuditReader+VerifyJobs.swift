internal import DomeCrypto
internal import DomeModel

/// The second half of a verification: what stands outside of the leaves and that they vouch for. Jobs that are still
/// kept must have their intent; their tasks and their provenance must be those that the leaves have codes of.
extension AuditReader {
    private static let jobs = Query(
        """
        SELECT j.id, j.job_id, j.state, r.task_json, r.intent, a.job_id, a.leaf, a.salt, o.provenance_json, o.outcome,
            b.job_id, b.leaf
            FROM jobs j JOIN job_requests r ON r.job = j.id LEFT JOIN audit a ON a.seq = r.intent
            LEFT JOIN job_outcomes o ON o.job = j.id LEFT JOIN audit b ON b.seq = o.outcome
            WHERE j.id > ?1 ORDER BY j.id LIMIT 512
        """)
    private static let payloads = Query(
        "SELECT p.seq, p.payload, a.leaf, a.salt FROM audit_payloads p LEFT JOIN audit a ON a.seq = p.seq")
    private static let what = "verify the jobs"

    /// Some hundred jobs more; then the payloads that the log keeps itself, and the end.
    func advanceJobs(_ run: inout AuditVerification) throws(DomeError) {
        var count = 0
        try connection().each(Self.jobs, [.integer(run.lastJob)], what: Self.what) { row throws(DomeError) in
            count += 1
            run.lastJob = row.integer(0)
            // Of before version 4: nothing vouches for them.
            if !row.isNull(4) { try self.check(row, &run) }
            return true
        }
        guard count == 0 else { return }
        try connection().each(Self.payloads, what: Self.what) { row throws(DomeError) in
            let seq = row.integer(0)
            if row.isNull(2) {
                run.add(seq, "payload", "there is a payload of event \(seq), and no such event")
            } else if row.isNull(3) {
                run.add(
                    seq...seq, "payload", "there is a payload of event \(seq), whose salt was erased: it was put there")
            } else if try !Self.isPayload(row.blob(1), salt: row.blob(3), of: row.blob(2)) {
                run.add(seq, "payload", "the payload of event \(seq) is not the one that was recorded")
            }
            return true
        }
        run.sortFindings()
        run.isDone = true
    }

    private func check(_ row: Row, _ run: inout AuditVerification) throws(DomeError) {
        let (job, intent) = (row.text(1), row.integer(4))
        guard !row.isNull(6), row.text(5) == job else {
            return run.add(intent...intent, "job", "\(job) says that event \(intent) is its intent, which it is not")
        }
        if !row.isNull(7), try !Self.isPayload(Array(row.text(3).utf8), salt: row.blob(7), of: row.blob(6)) {
            run.add(intent...intent, "payload", "the task of \(job) is not the one that event \(intent) recorded")
        }
        guard row.integer(2) > 2 else { return }
        guard !row.isNull(9), !row.isNull(11), row.text(10) == job else {
            let seq = row.isNull(9) ? intent : row.integer(9)
            return run.add(seq...seq, "job", "\(job) has ended, and the log has no event of it")
        }
        try checkProvenance(row, &run)
    }

    /// It is the one of the job's end, or what a redaction has left of that.
    private func checkProvenance(_ row: Row, _ run: inout AuditVerification) throws(DomeError) {
        let (job, intent) = (row.text(1), row.integer(4))
        guard let recorded = Self.leaf(row.blob(11))?["details"]?["provenance_sha256"]?.stringValue else { return }
        let actual = try SHA256.digest(row.text(8)).hex
        guard actual != run.redactions[intent]?.provenance ?? recorded else { return }
        if row.isNull(7) { try readLaterRedactions(&run) }
        guard actual != run.redactions[intent]?.provenance ?? recorded else { return }
        run.add(
            row.integer(9), "provenance",
            "the provenance of \(job) is not the one that event \(row.integer(9)) recorded"
                + (row.isNull(7) ? ", nor what was left of it when the task was redacted" : ""))
    }

    private static func isPayload(
        _ payload: [UInt8], salt: [UInt8], of leaf: [UInt8]
    ) throws(DomeError) -> Bool {
        let code = try HMACSHA256.code(payload, key: salt)
        return self.leaf(leaf)?["payload"]?.stringValue == AuditPayload.codePrefix + code.hex
    }

    /// Nil for one that is no JSON any more: that was found when the leaves were read.
    static func leaf(_ bytes: [UInt8]) -> JSONValue? {
        do throws(DomeError) {
            return try JSONParser.parse(String(decoding: bytes, as: UTF8.self), what: "an event")
        } catch {
            return nil
        }
    }
}
