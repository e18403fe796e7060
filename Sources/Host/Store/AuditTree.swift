internal import DomeCrypto
internal import DomeModel

/// The right edge of the tree, and what of the log has been put into it. On the store's thread.
///
/// Leaves are written one by one, with the jobs they are about; everything else happens later, for a block of 256 leaves
/// at once (`AuditTree+Blocks.swift`), and may be lost and made again.
final class AuditTree {
    /// Leaves in a block: 2^8.
    static let blockLevel = 8
    static let blockSize: Int64 = 1 << 8
    /// No log comes that far; what the database says beyond it was put there by somebody else, and must not be counted with.
    static let highestSeq: Int64 = 1 << 53
    /// Subtrees whose hashes are kept: of blocks, of blocks of blocks, ….
    static let levels = [8, 16, 24, 32]

    let database: Database
    /// Over all complete blocks.
    var frontier = MerkleFrontier()
    /// The time of the latest leaf in them.
    var latestNanoseconds = Int64.min
    /// The size of the newest checkpoint.
    var checkpointedSize: Int64 = 0

    private static let nodesOf = Query("SELECT position, hash FROM audit_nodes WHERE level = ?1 AND position >= ?2")
    private static let newestBlock = Query("SELECT block, latest_ns FROM audit_blocks ORDER BY block DESC LIMIT 1")
    private static let newestCheckpoint = Query("SELECT coalesce(max(size), 0) FROM audit_checkpoints")
    private static let hashes = Query("SELECT seq, hash FROM audit WHERE seq > ?1 AND seq <= ?2 ORDER BY seq")

    var connection: Connection { database.connection }
    var indexedSize: Int64 { Int64(clamping: frontier.size) }

    /// Takes up where the database ends.
    init(_ database: Database) throws(DomeError) {
        self.database = database
        try load()
    }

    /// Reads the state anew: when it begins, and after a transaction that failed.
    func load() throws(DomeError) {
        let what = "read the audit tree"
        let newest = try connection.first(Self.newestBlock, what: what) { row in (row.integer(0), row.integer(1)) }
        frontier = MerkleFrontier()
        latestNanoseconds = newest?.1 ?? .min
        checkpointedSize = try connection.first(Self.newestCheckpoint, what: what) { row in row.integer(0) } ?? 0
        guard let newest else { return }
        guard (0..<(Self.highestSeq >> Int64(Self.blockLevel))).contains(newest.0) else {
            throw Self.damaged("it has a block \(newest.0)")
        }
        let size = UInt64(clamping: newest.0 + 1) << UInt64(Self.blockLevel)
        for level in Self.levels.reversed() {
            let first = Int64(clamping: frontier.size >> UInt64(level))
            let nodes = try connection.all(
                Self.nodesOf, [.integer(Int64(level)), .integer(first)], what: what
            ) { row in (position: row.integer(0), hash: Digest(bytes: row.blob(1))) }
            for node in nodes {
                guard node.position == Int64(clamping: frontier.size >> UInt64(level)), let hash = node.hash else {
                    throw Self.damaged("a hash of level \(level) is missing before position \(node.position)")
                }
                guard frontier.size < size else { throw Self.damaged("it has hashes of blocks that are not there") }
                try frontier.append(hash, level: level, database.hasher)
            }
        }
        guard frontier.size == size else { throw Self.damaged("hashes of its \(newest.0 + 1) blocks are missing") }
    }

    static func damaged(_ what: String) -> DomeError {
        DomeError(.internal, "the audit log's index is damaged: \(what); 'dome audit verify' tells more")
    }

    /// The root of the first `size` leaves; `size` is at least what is in complete blocks.
    func root(size: Int64) throws(DomeError) -> Digest {
        var edge = frontier
        let rows = try connection.all(
            Self.hashes, [.integer(indexedSize), .integer(size)], what: "read the audit log"
        ) { row in (row.integer(0), Digest(bytes: row.blob(1))) }
        for (seq, hash) in rows {
            guard seq == Int64(clamping: edge.size) + 1, let hash else {
                throw DomeError(.internal, "leaf \(edge.size + 1) of the audit log is not as it was written")
            }
            try edge.append(hash, database.hasher)
        }
        guard Int64(clamping: edge.size) == size else {
            throw DomeError(.internal, "the audit log ends at leaf \(edge.size), before leaf \(size)")
        }
        return try edge.root(database.hasher)
    }
}
