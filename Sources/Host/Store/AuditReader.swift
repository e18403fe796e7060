package import DomeAsync
internal import DomeCrypto
package import DomeModel

/// The audit log for those who ask: a connection of its own that cannot write, on a thread of its own, so that a long
/// question holds up neither jobs nor, for more than a moment, another question.
package actor AuditReader {
    private let executor: LoopExecutor
    let path: String
    private var opened: Connection?

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Nothing is opened yet.
    package init(path: String, executor: LoopExecutor) {
        self.path = path
        self.executor = executor
    }

    /// Lets go of the database. A later question opens it again.
    package func close() {
        opened?.close()
        opened = nil
    }

    /// The connection, made when it is first needed: most daemons are never asked.
    func connection() throws(DomeError) -> Connection {
        if let opened { return opened }
        let connection = try Connection(path: path, busyTimeoutMilliseconds: 2_000, isForReading: true)
        opened = connection
        return connection
    }

    static let columns = "seq, time_ns, kind, actor_uid, job_id, tool_id, outcome, leaf, hash"
    private static let lastLeaf = Query("SELECT coalesce(max(seq), 0) FROM audit WHERE seq BETWEEN 1 AND ?1")
    private static let one = Query("SELECT \(columns) FROM audit WHERE seq = ?1")

    /// The number of the last leaf, 0 for none.
    package func lastSeq() throws(DomeError) -> Int64 {
        try connection().first(
            Self.lastLeaf, [.integer(AuditTree.highestSeq)], what: "read the audit log"
        ) { row in row.integer(0) } ?? 0
    }

    /// A leaf. E_NOT_FOUND for one that is not there.
    package func row(_ seq: Int64) throws(DomeError) -> AuditRow {
        let row = try connection().first(
            Self.one, [.integer(seq)], what: "read the audit log"
        ) { row in AuditRow(row) }
        guard let row else {
            throw DomeError(.notFound, "the audit log has no event \(seq); it goes from 1 to \(try lastSeq())")
        }
        return row
    }

    private static let kept = Query("SELECT payload FROM audit_payloads WHERE seq = ?1")
    private static let ofJob = Query(
        """
        SELECT r.task_json FROM job_requests r, jobs j WHERE j.job_id = ?1 AND r.job = j.id AND r.intent = ?2
            AND (SELECT salt FROM audit WHERE seq = ?2) IS NOT NULL
        """)

    /// What a leaf is about, if it is still kept.
    package func payload(of row: AuditRow) throws(DomeError) -> [UInt8]? {
        let what = "read a payload"
        if let kept = try connection().first(Self.kept, [.integer(row.seq)], what: what, { $0.blob(0) }) {
            return kept
        }
        guard row.kind == .intent, let job = row.jobID else { return nil }
        return try connection().first(Self.ofJob, [.text(job.text), .integer(row.seq)], what: what) { row in
            Array(row.text(0).utf8)
        }
    }
}

extension AuditRow {
    /// Reads a row of `AuditReader.columns`.
    init(_ row: Row) {
        self.init(
            seq: row.integer(0), timeNanoseconds: row.integer(1), kind: AuditKind(rawValue: row.text(2)),
            actorUserID: UInt32(clamping: row.integer(3)), jobID: row.optionalText(4).flatMap { JobID($0) },
            toolID: row.optionalText(5), outcome: row.optionalText(6), leaf: row.blob(7),
            hash: Digest(bytes: row.blob(8)))
    }
}
