package import DomeModel

/// What a summary counts by.
package enum AuditGrouping: String, Sendable, CaseIterable {
    case tool, actor, outcome, kind, day
}

extension AuditReader {
    private static let terms = Query(
        "SELECT term, leaves, block FROM audit_terms WHERE term >= ?1 AND term < ?2 ORDER BY term, block")
    private static let blocks = Query(
        "SELECT block, min_ns, max_ns FROM audit_blocks WHERE block BETWEEN 0 AND ?1 ORDER BY block")
    private static let some = Query("SELECT \(columns) FROM audit WHERE seq > ?1 AND seq <= ?2 ORDER BY seq")
    private static let what = "count the audit log"

    /// How many leaves there are of each tool, actor, outcome, kind or day (UTC). Counted from the index; only what is at
    /// the bounds of the time, and what is younger than the index, is looked at.
    package func counts(
        by grouping: AuditGrouping, since: Int64?, until: Int64?
    ) throws(DomeError) -> [(key: String, count: Int)] {
        var filter = AuditFilter()
        (filter.sinceNanoseconds, filter.untilNanoseconds) = (since, until)
        var counts: [String: Int] = [:]
        // Blocks that are in as a whole; of the others, those that are looked at.
        var (whole, partial) = (Set<Int64>(), [Int64]())
        var blockCount: Int64 = 0
        let limit = AuditTree.highestSeq >> Int64(AuditTree.blockLevel)
        try connection().each(Self.blocks, [.integer(limit)], what: Self.what) { row in
            let (block, times) = (row.integer(0), row.integer(1)...max(row.integer(1), row.integer(2)))
            blockCount = block + 1
            guard filter.mayAdmit(times) else { return true }
            let day = Self.day(times.lowerBound)
            if filter.admitsAll(times), grouping != .day || day == Self.day(times.upperBound) {
                if grouping == .day { counts[day, default: 0] += Int(AuditTree.blockSize) } else { whole.insert(block) }
            } else {
                partial.append(block)
            }
            return true
        }
        if grouping != .day { try count(Self.prefix(grouping), whole, &counts) }
        for block in partial + [blockCount] {
            let base = block << Int64(AuditTree.blockLevel)
            let end = block == blockCount ? try lastSeq() : base + AuditTree.blockSize
            try connection().each(Self.some, [.integer(base), .integer(end)], what: Self.what) { row in
                let row = AuditRow(row)
                if filter.admits(row), let key = Self.key(row, grouping) { counts[key, default: 0] += 1 }
                return true
            }
        }
        return counts.map { (key: $0.key, count: $0.value) }
            .sorted { grouping == .day ? $0.key < $1.key : ($1.count, $0.key) < ($0.count, $1.key) }
    }

    private func count(
        _ prefix: String, _ blocks: Set<Int64>, _ counts: inout [String: Int]
    ) throws(DomeError) {
        var found = counts
        // The character after the colon ends the range.
        let bounds: [SQLValue] = [.text(prefix), .text(String(prefix.dropLast()) + ";")]
        try connection().each(Self.terms, bounds, what: Self.what) { row in
            guard blocks.contains(row.integer(2)), let leaves = LeafSet(row.blob(1)) else { return true }
            found[String(row.text(0).dropFirst(prefix.count)), default: 0] += leaves.count
            return true
        }
        counts = found
    }

    private static func prefix(_ grouping: AuditGrouping) -> String {
        switch grouping {
        case .tool: AuditTerm.tool("")
        case .actor: "u:"
        case .outcome: AuditTerm.outcome("")
        case .kind, .day: AuditTerm.kind("")
        }
    }

    private static func key(_ row: AuditRow, _ grouping: AuditGrouping) -> String? {
        switch grouping {
        case .tool: row.toolID
        case .actor: String(row.actorUserID)
        case .outcome: row.outcome
        case .kind: row.kind.rawValue
        case .day: day(row.timeNanoseconds)
        }
    }

    /// E.g. 2026-11-20.
    private static func day(_ nanoseconds: Int64) -> String {
        String(Timestamp.format(nanoseconds: nanoseconds).prefix(10))
    }
}
