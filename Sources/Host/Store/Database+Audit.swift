internal import DomeModel

extension Database {
    private static let insert = Query(
        """
        INSERT INTO audit(time_ns, kind, actor_uid, job_id, tool_id, outcome, leaf)
            VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)
        """)
    private static let columns = "seq, time_ns, kind, actor_uid, job_id, tool_id, outcome, leaf"
    private static let after = Query("SELECT \(columns) FROM audit WHERE seq > ?1 ORDER BY seq LIMIT ?2")
    private static let afterOfJob = Query(
        "SELECT \(columns) FROM audit WHERE job_id = ?3 AND seq > ?1 ORDER BY seq LIMIT ?2")

    /// Adds a row; returns its seq.
    func append(_ entry: AuditEntry) throws(DomeError) -> Int64 {
        try connection.run(
            Self.insert,
            [
                .integer(entry.timeNanoseconds), .text(entry.kind.rawValue), .integer(Int64(entry.actorUserID)),
                SQLValue(entry.jobID?.text), SQLValue(entry.toolID), SQLValue(entry.outcome), .blob(entry.leaf),
            ], what: "append to the audit log")
        return connection.lastInsertedRow
    }

    func auditRows(after seq: Int64, limit: Int, jobID: JobID?) throws(DomeError) -> [AuditRow] {
        var values: [SQLValue] = [.integer(seq), .integer(Int64(max(0, limit)))]
        if let jobID { values.append(.text(jobID.text)) }
        let query = jobID == nil ? Self.after : Self.afterOfJob
        return try connection.all(query, values, what: "read the audit log") { row in
            AuditRow(
                seq: row.integer(0), timeNanoseconds: row.integer(1), kind: AuditKind(rawValue: row.text(2)),
                actorUserID: UInt32(clamping: row.integer(3)), jobID: row.optionalText(4).flatMap { JobID($0) },
                toolID: row.optionalText(5), outcome: row.optionalText(6), leaf: row.blob(7))
        }
    }
}
