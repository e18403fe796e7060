package import DomeCrypto
package import DomeModel

// The audit log's own business; its rows are written with what they are about, and read by `AuditReader`.
extension Store {
    /// Why nothing can be written now, or the log's tree does not grow; empty is good. From any thread.
    package nonisolated var auditProblems: [String] {
        var problems: [String] = []
        if let trouble = writes.writeTrouble { problems.append("the audit log cannot be written: \(trouble)") }
        if let trouble = writes.checkpoints.trouble { problems.append("the audit log is not being signed: \(trouble)") }
        return problems
    }

    /// How far the signed tree is behind. From any thread.
    package nonisolated var auditLag: AuditLag { writes.checkpoints.lag }

    /// Why the last write failed, nil if it did not. From any thread.
    package nonisolated var writeTrouble: String? { writes.writeTrouble }

    /// What did not fit between the anchor and the database when it was opened.
    package func anchorFindings() -> [AuditFinding] { writes.checkpoints.startFindings }

    /// The checkpoint over everything that is in the log now; made if there is none yet.
    @discardableResult
    package func checkpointAudit() throws(DomeError) -> SignedNote {
        writes.flush()
        return try writes.checkpoints.make()
    }

    /// Signs checkpoints with another key from now on.
    package func setAuditSigner(_ signer: NoteSigner) { writes.checkpoints.setSigner(signer) }

    /// `body` is called, on the store's thread, with the number of the last event whenever there are new ones.
    package nonisolated func onAudit(_ body: (@Sendable (Int64) -> Void)?) {
        writes.checkpoints.setOnAppended(body)
    }

    /// Erases what an event is about and answers the event that says so. The bytes are overwritten in the database, and its
    /// log is emptied as far as nobody reads from it.
    package func redact(_ redaction: AuditRedaction) throws(DomeError) -> Int64 {
        let what = "redact event \(redaction.event)"
        writes.flush()
        try database.connection.execute("PRAGMA secure_delete = ON", what: what)
        var added: Int64 = 0
        do throws(DomeError) {
            try database.transaction(what: what) { () throws(DomeError) in
                added = try database.redact(redaction)
            } onFailure: {
            }
        } catch {
            try database.connection.execute("PRAGMA secure_delete = OFF", what: what)
            throw error
        }
        database.pass(.redacted)
        try database.connection.execute("PRAGMA secure_delete = OFF", what: what)
        _ = try database.connection.all(composed: "PRAGMA wal_checkpoint(TRUNCATE)", [], what: what) { row in
            row.integer(0)
        }
        writes.checkpoints.noteCommit()
        return added
    }
}
