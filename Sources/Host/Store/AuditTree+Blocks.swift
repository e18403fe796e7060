internal import DomeCrypto
internal import DomeModel

/// What a block's leaves are found by.
enum AuditTerm {
    static func kind(_ text: String) -> String { "k:" + text }
    static func tool(_ text: String) -> String { "t:" + text }
    static func outcome(_ text: String) -> String { "o:" + text }
    static func actor(_ userID: UInt32) -> String { "u:\(userID)" }
}

/// Which of a block's 256 leaves, as 32 bytes.
struct LeafSet: Equatable {
    private(set) var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    static let all = LeafSet(words: (.max, .max, .max, .max))

    init() {}

    private init(words: (UInt64, UInt64, UInt64, UInt64)) { self.words = words }

    /// Nil unless there are 32 bytes.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == 32 else { return nil }
        bytes.withUnsafeBytes { raw in
            words = (
                raw.loadUnaligned(fromByteOffset: 0, as: UInt64.self).littleEndian,
                raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self).littleEndian,
                raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self).littleEndian,
                raw.loadUnaligned(fromByteOffset: 24, as: UInt64.self).littleEndian
            )
        }
    }

    var bytes: [UInt8] {
        [words.0, words.1, words.2, words.3].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(8 * $0)) }
        }
    }

    mutating func insert(_ place: Int) {
        let bit = UInt64(1) << UInt64(place & 63)
        switch place >> 6 {
        case 0: words.0 |= bit
        case 1: words.1 |= bit
        case 2: words.2 |= bit
        default: words.3 |= bit
        }
    }

    func contains(_ place: Int) -> Bool {
        let word =
            switch place >> 6 {
            case 0: words.0
            case 1: words.1
            case 2: words.2
            default: words.3
            }
        return word >> UInt64(place & 63) & 1 == 1
    }

    func intersection(_ other: LeafSet) -> LeafSet {
        LeafSet(
            words: (
                words.0 & other.words.0, words.1 & other.words.1, words.2 & other.words.2, words.3 & other.words.3
            ))
    }

    var isEmpty: Bool { words.0 | words.1 | words.2 | words.3 == 0 }

    var count: Int {
        words.0.nonzeroBitCount + words.1.nonzeroBitCount + words.2.nonzeroBitCount + words.3.nonzeroBitCount
    }

    static func == (left: LeafSet, right: LeafSet) -> Bool { left.words == right.words }
}

extension AuditTree {
    private static let rows = Query(
        """
        SELECT seq, time_ns, kind, actor_uid, job_id, tool_id, outcome, hash FROM audit WHERE seq > ?1 AND seq <= ?2
            ORDER BY seq
        """)
    private static let insertNode = Query("INSERT INTO audit_nodes VALUES(?1, ?2, ?3)")
    private static let insertBlock = Query("INSERT INTO audit_blocks VALUES(?1, ?2, ?3, ?4)")
    private static let insertTerm = Query("INSERT INTO audit_terms VALUES(?1, ?2, ?3)")
    private static let insertJob = Query("INSERT OR IGNORE INTO audit_jobs VALUES(?1, ?2)")
    private static let leafOf = Query("SELECT leaf FROM audit WHERE seq = ?1")
    private static let setHash = Query("UPDATE audit SET hash = ?2 WHERE seq = ?1 AND hash IS NULL")

    /// Adds the next block, whose 256 leaves must be there; within a transaction.
    func addBlock() throws(DomeError) {
        let what = "index the audit log"
        let block = indexedSize >> Int64(Self.blockLevel)
        let start = indexedSize
        let range: [SQLValue] = [.integer(start), .integer(start + Self.blockSize)]
        var contents = BlockContents()
        var below = MerkleFrontier()
        let leaves = try connection.all(Self.rows, range, what: what) { row in BlockContents.Leaf(row) }
        guard leaves.count == Int(Self.blockSize), leaves.last?.seq == start + Self.blockSize else {
            throw Self.damaged("a leaf between \(start + 1) and \(start + Self.blockSize) is missing")
        }
        for (place, leaf) in leaves.enumerated() {
            contents.add(leaf, place)
            var hash = leaf.hash
            if hash == nil { hash = try hashLate(leaf.seq) }
            if let hash { try below.append(hash, database.hasher) }
        }
        guard let hash = below.subtrees.first else { return }
        try connection.run(
            Self.insertNode, [.integer(Int64(Self.blockLevel)), .integer(block), .blob(hash.bytes)], what: what)
        latestNanoseconds = max(latestNanoseconds, contents.maximumNanoseconds)
        try connection.run(
            Self.insertBlock,
            [
                .integer(block), .integer(contents.minimumNanoseconds), .integer(contents.maximumNanoseconds),
                .integer(latestNanoseconds),
            ], what: what)
        // Sorted: neighbours in the index are written together.
        for (term, set) in contents.terms.sorted(by: { $0.key < $1.key }) {
            try connection.run(
                Self.insertTerm, [.text(term), .integer(block), .blob(set.bytes)], what: what)
        }
        for job in contents.jobs.sorted() {
            try connection.run(Self.insertJob, [.text(job), .integer(block)], what: what)
        }
        try frontier.append(hash, level: Self.blockLevel, database.hasher)
        try addUpperNodes(what)
    }

    /// The hashes of larger subtrees that this block has completed.
    private func addUpperNodes(_ what: String) throws(DomeError) {
        for level in Self.levels.dropFirst() where frontier.size & (1 << UInt64(level) - 1) == 0 {
            // The subtree that ends here is on the frontier's edge, which may have grown larger still.
            let position = Int64(clamping: frontier.size >> UInt64(level)) - 1
            let hash = try subtree(level: level, position: position)
            try connection.run(
                Self.insertNode, [.integer(Int64(level)), .integer(position), .blob(hash.bytes)], what: what)
        }
    }

    private static let nodes = Query(
        "SELECT hash FROM audit_nodes WHERE level = ?1 AND position >= ?2 AND position < ?3 ORDER BY position")

    /// From the 256 hashes below it.
    private func subtree(level: Int, position: Int64) throws(DomeError) -> Digest {
        let first = position << 8
        let hashes = try connection.all(
            Self.nodes, [.integer(Int64(level - 8)), .integer(first), .integer(first + 256)],
            what: "read the audit tree"
        ) { row in Digest(bytes: row.blob(0)) }
        var below = MerkleFrontier()
        for hash in hashes {
            guard let hash else { throw Self.damaged("a hash of level \(level - 8) is none") }
            try below.append(hash, database.hasher)
        }
        guard below.size == 256, let hash = below.subtrees.first else {
            throw Self.damaged("hashes of level \(level - 8) are missing from position \(first) on")
        }
        return hash
    }

    /// Of a row that a dome of before version 4 wrote.
    private func hashLate(_ seq: Int64) throws(DomeError) -> Digest {
        guard
            let leaf = try connection.first(
                Self.leafOf, [.integer(seq)], what: "read the audit log", { row in row.blob(0) })
        else { throw Self.damaged("leaf \(seq) is missing") }
        let hash = try database.hasher.leaf(leaf)
        try connection.run(Self.setHash, [.integer(seq), .blob(hash.bytes)], what: "hash the audit log")
        return hash
    }

    private static let unhashed = Query("SELECT seq FROM audit WHERE seq > ?1 AND hash IS NULL ORDER BY seq")

    /// Gives the leaves beyond the last complete block their hashes, if a dome of before version 4 wrote them; within a
    /// transaction.
    func hashTail() throws(DomeError) {
        let late = try connection.all(Self.unhashed, [.integer(indexedSize)], what: "read the audit log") { row in
            row.integer(0)
        }
        for seq in late { _ = try hashLate(seq) }
    }
}

/// What a block's leaves are about.
struct BlockContents {
    struct Leaf {
        var seq: Int64
        var timeNanoseconds: Int64
        var terms: [String]
        var job: String?
        var hash: Digest?

        init(_ row: Row) {
            seq = row.integer(0)
            timeNanoseconds = row.integer(1)
            terms = [AuditTerm.kind(row.text(2)), AuditTerm.actor(UInt32(clamping: row.integer(3)))]
            job = row.optionalText(4)
            if let tool = row.optionalText(5) { terms.append(AuditTerm.tool(tool)) }
            if let outcome = row.optionalText(6) { terms.append(AuditTerm.outcome(outcome)) }
            hash = Digest(bytes: row.blob(7))
        }
    }

    var minimumNanoseconds = Int64.max
    var maximumNanoseconds = Int64.min
    var terms: [String: LeafSet] = [:]
    var jobs: Set<String> = []

    mutating func add(_ leaf: Leaf, _ place: Int) {
        minimumNanoseconds = min(minimumNanoseconds, leaf.timeNanoseconds)
        maximumNanoseconds = max(maximumNanoseconds, leaf.timeNanoseconds)
        for term in leaf.terms { terms[term, default: LeafSet()].insert(place) }
        if let job = leaf.job { jobs.insert(job) }
    }
}
