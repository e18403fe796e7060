internal import DomeCrypto
internal import DomeModel

extension Database {
    private static let insert = Query(
        """
        INSERT INTO audit(seq, time_ns, kind, actor_uid, job_id, tool_id, outcome, leaf, hash, salt)
            VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
        """)
    private static let insertPayload = Query("INSERT INTO audit_payloads VALUES(?1, ?2)")
    private static let last = Query("SELECT coalesce(max(seq), 0) FROM audit")

    /// Adds a row; returns its seq. Asked each time for the last one: a transaction that failed must leave no trace.
    func append(_ entry: AuditEntry) throws(DomeError) -> Int64 {
        let what = "append to the audit log"
        let seq = try lastAuditSeq() + 1
        let leaf = entry.leaf(seq: seq)
        let hash = try hasher.leaf(leaf)
        try connection.run(
            Self.insert,
            [
                .integer(seq), .integer(entry.timeNanoseconds), .text(entry.kind.rawValue),
                .integer(Int64(entry.actorUserID)), SQLValue(entry.jobID?.text), SQLValue(entry.toolID),
                SQLValue(entry.outcome), .blob(leaf), .blob(hash.bytes), entry.salt.map(SQLValue.blob) ?? .null,
            ], what: what)
        if let payload = entry.payload {
            try connection.run(Self.insertPayload, [.integer(seq), .blob(payload)], what: what)
        }
        appended = seq
        return seq
    }

    /// 0 when there is none. E_INTERNAL for one that dome did not write.
    func lastAuditSeq() throws(DomeError) -> Int64 {
        let last = try connection.first(Self.last, what: "read the audit log") { row in row.integer(0) } ?? 0
        guard (0..<AuditTree.highestSeq).contains(last) else {
            throw DomeError(
                .internal,
                "the audit log in \(path) has an event \(last), which somebody inserted; nothing can be recorded behind "
                    + "it. Keep a copy of the file as evidence, then put a copy from before back")
        }
        return last
    }
}
