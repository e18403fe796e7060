package import DomeModel

/// The blocks that hold a term, one after the other in either direction, read some hundred at a time.
private struct TermCursor {
    let query: Query
    let term: String
    private var buffer: ArraySlice<(block: Int64, leaves: LeafSet)> = []
    private var batch: Int64 = 16
    private var isDone = false

    private static let up = Query(
        "SELECT block, leaves FROM audit_terms WHERE term = ?1 AND block >= ?2 ORDER BY block LIMIT ?3")
    private static let down = Query(
        "SELECT block, leaves FROM audit_terms WHERE term = ?1 AND block <= ?2 ORDER BY block DESC LIMIT ?3")
    private static let jobUp = Query(
        "SELECT block, NULL FROM audit_jobs WHERE job_id = ?1 AND block >= ?2 ORDER BY block LIMIT ?3")
    private static let jobDown = Query(
        "SELECT block, NULL FROM audit_jobs WHERE job_id = ?1 AND block <= ?2 ORDER BY block DESC LIMIT ?3")

    init(term: String, isDown: Bool) {
        self.term = term
        query = isDown ? Self.down : Self.up
    }

    init(job: JobID, isDown: Bool) {
        term = job.text
        query = isDown ? Self.jobDown : Self.jobUp
    }

    /// The first block at `block` or beyond it; nil when there is none.
    mutating func seek(
        _ block: Int64, isDown: Bool, _ connection: Connection
    ) throws(DomeError) -> (block: Int64, leaves: LeafSet)? {
        while true {
            while let first = buffer.first {
                if isDown ? first.block <= block : first.block >= block { return first }
                buffer.removeFirst()
            }
            guard !isDone else { return nil }
            let found = try connection.all(
                query, [.text(term), .integer(block), .integer(batch)], what: "look the audit log through"
            ) { row in (block: row.integer(0), leaves: row.isNull(1) ? .all : LeafSet(row.blob(1)) ?? .all) }
            isDone = found.count < Int(batch)
            buffer = found[...]
            batch = min(batch * 4, 2_048)
        }
    }
}

extension AuditReader {
    private static let blocksUp = Query(
        """
        SELECT block FROM audit_blocks WHERE block >= ?1 AND max_ns >= ?2 AND min_ns < ?3 ORDER BY block LIMIT 1
        """)
    private static let blocksDown = Query(
        """
        SELECT block FROM audit_blocks WHERE block <= ?1 AND max_ns >= ?2 AND min_ns < ?3 ORDER BY block DESC LIMIT 1
        """)
    private static let indexed = Query(
        "SELECT coalesce(max(block) + 1, 0) FROM audit_blocks WHERE block BETWEEN 0 AND ?1")
    private static let latest = Query("SELECT latest_ns FROM audit_blocks WHERE block = ?1")
    private static let rowsUp = Query("SELECT \(columns) FROM audit WHERE seq > ?1 AND seq <= ?2 ORDER BY seq")
    private static let rowsDown = Query(
        "SELECT \(columns) FROM audit WHERE seq > ?1 AND seq <= ?2 ORDER BY seq DESC")
    private static let lookWhat = "look the audit log through"

    /// Leaves after `position` (before it if `isDown`), the nearest first, at most `limit`. From either end: 0, or nil.
    ///
    /// The index tells which blocks to read, the blocks' rows are held against the filter. What is younger than the
    /// index is read whole.
    package func leaves(
        _ filter: AuditFilter, from position: Int64?, isDown: Bool, limit: Int
    ) throws(DomeError) -> AuditPage {
        let last = try lastSeq()
        let indexedSize = min(last, try blockCount() * AuditTree.blockSize)
        var search = Search(filter: filter, isDown: isDown, limit: max(1, limit))
        if isDown {
            let start = min(position ?? .max, last + 1) - 1
            if start > indexedSize { try read(&search, indexedSize..<start, .all) }
            if !search.isFull { try lookDown(&search, from: min(start, indexedSize)) }
        } else {
            let start = max(0, position ?? 0)
            if start < indexedSize { try lookUp(&search, from: start, to: indexedSize) }
            if !search.isFull, last > indexedSize { try read(&search, max(start, indexedSize)..<last, .all) }
        }
        return AuditPage(rows: search.rows, next: search.isFull ? search.rows.last?.seq : nil, end: last)
    }

    /// Blocks that are in the index.
    private func blockCount() throws(DomeError) -> Int64 {
        let limit = AuditTree.highestSeq >> Int64(AuditTree.blockLevel)
        return try connection().first(
            Self.indexed, [.integer(limit)], what: Self.lookWhat
        ) { row in row.integer(0) } ?? 0
    }

    private struct Search {
        let filter: AuditFilter
        let isDown: Bool
        let limit: Int
        var rows: [AuditRow] = []
        var isFull: Bool { rows.count >= limit }
        var times: [SQLValue] {
            [.integer(filter.sinceNanoseconds ?? .min), .integer(filter.untilNanoseconds ?? .max)]
        }
        var hasTimes: Bool { filter.sinceNanoseconds != nil || filter.untilNanoseconds != nil }
        var cursors: [TermCursor] {
            filter.terms.map { TermCursor(term: $0, isDown: isDown) }
                + (filter.jobID.map { [TermCursor(job: $0, isDown: isDown)] } ?? [])
        }
    }

    /// Reads those of the leaves in `range` (first excluded, last included) that `leaves` of their block names.
    private func read(_ search: inout Search, _ range: Range<Int64>, _ leaves: LeafSet) throws(DomeError) {
        guard !range.isEmpty else { return }
        let query = search.isDown ? Self.rowsDown : Self.rowsUp
        let bounds: [SQLValue] = [.integer(range.lowerBound), .integer(range.upperBound)]
        var found = search
        try connection().each(query, bounds, what: Self.lookWhat) { row in
            guard leaves.contains(Int((row.integer(0) - 1) & (AuditTree.blockSize - 1))) else { return true }
            guard found.filter.admits(row.integer(1)) else { return true }
            let row = AuditRow(row)
            if found.filter.admits(row) { found.rows.append(row) }
            return !found.isFull
        }
        search = found
    }

    private func lookDown(_ search: inout Search, from start: Int64) throws(DomeError) {
        guard start > 0 else { return }
        var cursors = search.cursors
        var block: Int64? = (start - 1) >> Int64(AuditTree.blockLevel)
        // No leaf of a block before this one is young enough.
        let floor = try search.filter.sinceNanoseconds.map { time throws(DomeError) in
            try firstBlock(reaching: time)
        }
        while let candidate = try next(block, &cursors, search), candidate.block >= 0 {
            if let floor, candidate.block < floor { return }
            let base = candidate.block << Int64(AuditTree.blockLevel)
            try read(&search, base..<min(start, base + AuditTree.blockSize), candidate.leaves)
            if search.isFull { return }
            block = candidate.block - 1
        }
    }

    private func lookUp(_ search: inout Search, from start: Int64, to end: Int64) throws(DomeError) {
        var cursors = search.cursors
        var block: Int64? = start >> Int64(AuditTree.blockLevel)
        if let since = search.filter.sinceNanoseconds { block = max(block ?? 0, try firstBlock(reaching: since)) }
        // An index that somebody changed may name blocks that are not there.
        let last = (end - 1) >> Int64(AuditTree.blockLevel)
        while let candidate = try next(block, &cursors, search), candidate.block <= last {
            let base = candidate.block << Int64(AuditTree.blockLevel)
            try read(&search, max(start, base)..<min(end, base + AuditTree.blockSize), candidate.leaves)
            if search.isFull { return }
            block = candidate.block + 1
        }
    }

    /// The nearest block at `block` or beyond it that may have what is looked for.
    private func next(
        _ block: Int64?, _ cursors: inout [TermCursor], _ search: Search
    ) throws(DomeError) -> (block: Int64, leaves: LeafSet)? {
        guard var block, block >= 0 else { return nil }
        let connection = try connection()
        while true {
            if search.hasTimes || cursors.isEmpty {
                let query = search.isDown ? Self.blocksDown : Self.blocksUp
                let near = try connection.first(
                    query, [.integer(block)] + search.times, what: Self.lookWhat
                ) { row in row.integer(0) }
                guard let near else { return nil }
                block = near
            }
            var leaves = LeafSet.all
            var isCommon = true
            for index in cursors.indices {
                guard let found = try cursors[index].seek(block, isDown: search.isDown, connection) else { return nil }
                guard found.block == block else {
                    block = found.block
                    isCommon = false
                    break
                }
                leaves = leaves.intersection(found.leaves)
            }
            guard isCommon else { continue }
            if !leaves.isEmpty { return (block, leaves) }
            block &+= search.isDown ? -1 : 1
            guard block >= 0 else { return nil }
        }
    }

    /// The first block up to which the clock had been at `time` once: no leaf before it is as young.
    private func firstBlock(reaching time: Int64) throws(DomeError) -> Int64 {
        var (low, high) = (Int64(0), try blockCount())
        while low < high {
            let middle = (low + high) / 2
            let latest = try connection().first(Self.latest, [.integer(middle)], what: Self.lookWhat) { row in
                row.integer(0)
            }
            if (latest ?? .max) >= time { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
