internal import DomeCrypto
internal import DomeModel

extension AuditTree {
    private static let insert = Query("INSERT OR REPLACE INTO audit_checkpoints VALUES(?1, ?2)")
    private static let thin = Query("DELETE FROM audit_checkpoints WHERE size > ?1 AND size < ?2 AND size & 255 <> 0")
    private static let newest = Query("SELECT note FROM audit_checkpoints ORDER BY size DESC LIMIT 1")

    /// Signs the tree of the first `size` leaves; within a transaction. Of the checkpoints within a block, the newest
    /// stays: it covers the others.
    func addCheckpoint(size: Int64, _ signer: NoteSigner) throws(DomeError) -> SignedNote {
        let what = "write a checkpoint"
        let checkpoint = LogCheckpoint(
            origin: signer.verifier.name, size: UInt64(clamping: size), root: try root(size: size))
        let note = try SignedNote(checkpoint.text, by: signer)
        let block = max(0, size - 1) & ~(Self.blockSize - 1)
        try connection.run(Self.thin, [.integer(block), .integer(size)], what: what)
        try connection.run(Self.insert, [.integer(size), .text(note.rendered)], what: what)
        checkpointedSize = size
        return note
    }

    /// Nil before the first one.
    func newestNote() throws(DomeError) -> SignedNote? {
        let text = try connection.first(Self.newest, what: "read the newest checkpoint") { row in row.text(0) }
        guard let text else { return nil }
        return try SignedNote(parsing: text)
    }
}

extension Database {
    private static let begin = Query("BEGIN IMMEDIATE")
    private static let commit = Query("COMMIT")
    private static let rollback = Query("ROLLBACK")

    /// Runs `body` in a transaction of its own; on any failure nothing of it remains, and `onFailure` brings what is
    /// remembered of the database up to that.
    func transaction(
        what: String, _ body: () throws(DomeError) -> Void, onFailure: () throws(DomeError) -> Void
    ) throws(DomeError) {
        try connection.run(Self.begin, what: what)
        do throws(DomeError) {
            try body()
            try connection.run(Self.commit, what: what)
        } catch {
            if !connection.isIdle { try connection.run(Self.rollback, what: what) }
            try onFailure()
            throw error
        }
    }
}
