package import DomeCrypto
package import DomeModel

extension AuditReader {
    private static let node = Query("SELECT hash FROM audit_nodes WHERE level = ?1 AND position = ?2")
    private static let nodes = Query(
        "SELECT hash FROM audit_nodes WHERE level = ?1 AND position >= ?2 AND position < ?3 ORDER BY position")
    private static let hashes = Query("SELECT hash FROM audit WHERE seq > ?1 AND seq <= ?2 ORDER BY seq")
    private static let checkpoint = Query("SELECT note FROM audit_checkpoints WHERE size >= ?1 ORDER BY size LIMIT 1")
    private static let newest = Query("SELECT note FROM audit_checkpoints ORDER BY size DESC LIMIT 1")
    private static let what = "prove from the audit log"

    /// The newest checkpoint; nil before the first one.
    package func newestCheckpoint() throws(DomeError) -> SignedNote? {
        let text = try connection().first(Self.newest, what: Self.what) { row in row.text(0) }
        guard let text else { return nil }
        return try SignedNote(parsing: text)
    }

    /// That leaf `seq` (from 1) is in the log, under the newest checkpoint, with the leaf itself as extra data.
    /// E_NOT_FOUND when there is no such leaf, E_INTERNAL when what is stored cannot be proven: `verify` says why.
    package func proof(of seq: Int64) throws(DomeError) -> LogProof {
        let row = try row(seq)
        guard let note = try newestCheckpoint() else {
            throw DomeError(.internal, "the audit log has no checkpoint yet; try again in a second")
        }
        let stated = try LogCheckpoint(parsing: note.text)
        guard UInt64(clamping: seq) <= stated.size else {
            throw DomeError(
                .resourceExhausted, "event \(seq) is not covered by a checkpoint yet; try again in a second")
        }
        var known: [Subtree: Digest] = [:]
        let connection = try connection()
        let prover = try MerkleProver { level, index throws(DomeError) in
            try Self.subtree(level, index, connection, &known)
        }
        let path = try prover.inclusion(of: UInt64(clamping: seq - 1), size: stated.size)
        let hash = try TreeHasher().leaf(row.leaf)
        let root = try MerkleProof.root(ofLeaf: hash, index: UInt64(clamping: seq - 1), size: stated.size, path: path)
        guard root == stated.root else {
            throw DomeError(
                .internal,
                "event \(seq) cannot be proven: the log is not as it was written; 'dome audit verify' says "
                    + "where")
        }
        return LogProof(index: UInt64(clamping: seq - 1), path: path, checkpoint: note, extra: row.leaf)
    }

    private struct Subtree: Hashable {
        var level: Int
        var index: UInt64
    }

    /// From the nearest hashes that are stored: of blocks, of blocks of blocks, or of the leaves.
    private static func subtree(
        _ level: Int, _ index: UInt64, _ connection: Connection, _ known: inout [Subtree: Digest]
    ) throws(DomeError) -> Digest {
        let place = Subtree(level: level, index: index)
        if let hash = known[place] { return hash }
        let base = AuditTree.levels.last { $0 <= level } ?? 0
        let first = Int64(clamping: index << UInt64(level - base))
        let count = Int64(1) << Int64(level - base)
        let rows: [Digest?]
        if base == 0 {
            rows = try connection.all(
                hashes, [.integer(first), .integer(first + count)], what: what
            ) { row in Digest(bytes: row.blob(0)) }
        } else {
            rows = try connection.all(
                nodes, [.integer(Int64(base)), .integer(first), .integer(first + count)], what: what
            ) { row in Digest(bytes: row.blob(0)) }
        }
        let hasher = try TreeHasher()
        var below = MerkleFrontier()
        for hash in rows { if let hash { try below.append(hash, hasher) } }
        guard Int64(clamping: below.size) == count, let hash = below.subtrees.first else {
            throw AuditTree.damaged("hashes below \(index) of level \(level) are missing")
        }
        known[place] = hash
        return hash
    }
}
