internal import DomeCrypto
package import DomeModel

extension AuditReader {
    static let leafColumns = "seq, time_ns, kind, actor_uid, job_id, tool_id, outcome, leaf, hash"
    private static let rows = Query(
        "SELECT \(leafColumns), salt FROM audit WHERE seq > ?1 AND seq <= ?2 ORDER BY seq LIMIT 4096")
    private static let node = Query("SELECT hash FROM audit_nodes WHERE level = 8 AND position = ?1")
    private static let stored = Query(
        "SELECT size, note FROM audit_checkpoints WHERE size > ?1 ORDER BY size LIMIT 1")
    /// Beyond what a log has.
    private static let strays = Query("SELECT seq FROM audit WHERE seq < 1 OR seq > ?1 ORDER BY seq LIMIT 1")
    private static let what = "verify the audit log"

    /// Begins a verification of what is in the log now.
    ///
    /// `known` is what was found before, when the database was opened.
    package func beginVerification(
        _ witnesses: AuditWitnesses, and known: [AuditFinding] = []
    ) throws(DomeError) -> AuditVerification {
        // The anchor first: jobs go on, and a newer one would speak of events beyond those that are counted here.
        let anchor = witnesses.anchorPath.flatMap { AuditAnchor.newest(path: $0) }
        var run = AuditVerification(total: try lastSeq(), witnesses: witnesses)
        for finding in known { run.add(finding.seq, finding.what, finding.message) }
        let stray = try connection().first(Self.strays, [.integer(AuditTree.highestSeq)], what: Self.what) { row in
            row.integer(0)
        }
        if let stray {
            run.add(max(1, stray), "moved", "there is an event \(stray), which no log has: it was inserted")
        }
        if let path = witnesses.anchorPath {
            if let anchor {
                try claim(anchor, "the anchor \(path)", &run)
            } else if try newestCheckpoint() != nil {
                run.add(
                    0, "anchor",
                    "the anchor \(path) is missing or damaged: whether this database is an older copy cannot be told "
                        + "from this machine's files; compare with a checkpoint kept elsewhere (--against)")
            }
        }
        for path in witnesses.anchorPath.map({ AuditAnchor.evidence(path: $0) }) ?? [] {
            if let kept = AuditAnchor.newest(path: path) {
                try claim(kept, "the anchor that was kept as \(path)", &run)
            }
        }
        for note in witnesses.checkpoints { try claim(note, "the checkpoint that was given", &run) }
        run.claims.sort { $0.size < $1.size }
        run.nextStored = try nextStored(after: 0, &run)
        return run
    }

    /// Takes a checkpoint from outside, if its signature is good.
    private func claim(_ note: SignedNote, _ who: String, _ run: inout AuditVerification) throws(DomeError) {
        guard let stated = try accepted(note, who, 0, &run) else { return }
        let size = Int64(clamping: stated.size)
        guard size <= run.total else {
            return run.add(
                run.total + 1, "cut",
                "\(who) says that there were \(size) events, and the log ends at \(run.total): event \(run.total + 1) "
                    + "is the first that is missing. The end was cut off, or the database is an older copy")
        }
        run.claims.append(AuditVerification.Claim(size: size, root: stated.root, who: who))
    }

    /// The checkpoint if it is signed by a key that counts, for this log.
    private func accepted(
        _ note: SignedNote, _ who: String, _ seq: Int64, _ run: inout AuditVerification
    ) throws(DomeError) -> LogCheckpoint? {
        let stated: LogCheckpoint
        do throws(DomeError) { stated = try LogCheckpoint(parsing: note.text) } catch {
            run.add(seq, "checkpoint", "\(who): \(error.message)")
            return nil
        }
        guard try note.verified(by: run.witnesses.verifiers) != nil else {
            run.add(
                seq, "signature",
                "\(who), of \(stated.size) events, is not signed by a key of this log ('dome keys show'): its text was "
                    + "changed, or somebody signed it with another key")
            return nil
        }
        guard stated.origin == run.witnesses.origin else {
            run.add(seq, "origin", "\(who) is of another log, \(stated.origin); this one is \(run.witnesses.origin)")
            return nil
        }
        return stated
    }

    /// The next of the database's own checkpoints that is good.
    private func nextStored(
        after size: Int64, _ run: inout AuditVerification
    ) throws(DomeError) -> AuditVerification.Claim? {
        var size = size
        while true {
            let found = try connection().first(Self.stored, [.integer(size)], what: Self.what) { row in
                (size: row.integer(0), note: row.text(1))
            }
            guard let found else { return nil }
            size = found.size
            let who = "the checkpoint of \(size) events in the database"
            let note: SignedNote
            do throws(DomeError) { note = try SignedNote(parsing: found.note) } catch {
                run.add(size, "checkpoint", "\(who): \(error.message)")
                continue
            }
            run.checkpointsChecked += 1
            guard let stated = try accepted(note, who, size, &run) else { continue }
            guard Int64(clamping: stated.size) == size else {
                run.add(size, "checkpoint", "\(who) is one of \(stated.size) events")
                continue
            }
            guard size > run.total else { return AuditVerification.Claim(size: size, root: stated.root, who: who) }
            // Of what came since this began, nothing is looked at.
            let last = try lastSeq()
            guard size > last else { return nil }
            run.add(
                last + 1, "cut",
                "\(who) is there, and the log ends at \(last): event \(last + 1) is the first that is missing")
            return nil
        }
    }

    /// The same, for callers on other threads.
    package func advanced(_ run: AuditVerification) throws(DomeError) -> AuditVerification {
        var run = run
        try advance(&run)
        return run
    }

    /// Some thousand leaves more. Ask until `isDone`; others are answered in between.
    package func advance(_ run: inout AuditVerification) throws(DomeError) {
        guard !run.isDone else { return }
        guard !run.hasReadLeaves else { return try advanceJobs(&run) }
        let start = run.checked
        let hasher = try TreeHasher()
        try connection().each(
            Self.rows, [.integer(start), .integer(run.total)], what: Self.what
        ) { row throws(DomeError) in
            try self.check(row, &run, hasher)
            return true
        }
        if run.checked == start || run.checked >= run.total { try finishLeaves(&run, hasher) }
    }

    private func check(
        _ row: Row, _ run: inout AuditVerification, _ hasher: borrowing TreeHasher
    ) throws(DomeError) {
        let seq = row.integer(0)
        if seq != run.checked + 1 {
            let gap = run.checked + 2 == seq ? "" : " (and all up to \(seq - 1))"
            run.add(run.checked + 1, "missing", "event \(run.checked + 1)\(gap) is missing: it was deleted")
            run.isTreeLost = true
        }
        run.checked = seq
        let stored = Digest(bytes: row.blob(8))
        let leaf = row.blob(7)
        let problem = try leaf.withBytes { bytes throws(DomeError) in try run.leafCheck.problem(row, leaf: bytes) }
        if let problem {
            run.add(seq, problem.contains("inserted here") ? "moved" : "columns", "event \(seq): \(problem)")
        }
        if run.leafCheck.isRedaction { Self.noteRedaction(leaf, &run) }
        if run.leafCheck.hasPayload, row.isNull(9) { run.unsalted.append(seq) }
        let actual = try hasher.leaf(leaf)
        if let stored, stored != actual {
            run.add(
                seq, "changed",
                "event \(seq) was changed: its bytes do not give the hash that was stored when it was written")
        }
        guard !run.isTreeLost else { return }
        // A leaf that was found out already shall not hide what else is wrong.
        try run.block.append(stored ?? actual, hasher)
        if seq & (AuditTree.blockSize - 1) == 0 { try closeBlock(&run, seq, hasher) }
        try compareClaims(&run, hasher)
    }

    private func closeBlock(
        _ run: inout AuditVerification, _ seq: Int64, _ hasher: borrowing TreeHasher
    ) throws(DomeError) {
        guard let hash = run.block.subtrees.first else { return }
        let position = (seq - 1) >> Int64(AuditTree.blockLevel)
        let stored = try connection().first(Self.node, [.integer(position)], what: Self.what) { row in
            Digest(bytes: row.blob(0))
        }
        if let stored = stored ?? nil, stored != hash {
            let first = seq - AuditTree.blockSize + 1
            run.add(
                first...seq, "node",
                "events \(first) to \(seq) do not give the hash that was stored when they were complete: at least one of "
                    + "them was changed together with its own hash")
        }
        try run.tree.append(hash, level: AuditTree.blockLevel, hasher)
        run.block = MerkleFrontier()
    }

    /// Roots that were vouched for at just this size.
    private func compareClaims(
        _ run: inout AuditVerification, _ hasher: borrowing TreeHasher
    ) throws(DomeError) {
        while let claim = run.claims.first, claim.size <= run.checked {
            run.claims.removeFirst()
            if claim.size == run.checked { try compare(claim, &run, hasher) }
        }
        while let claim = run.nextStored, claim.size <= run.checked {
            if claim.size == run.checked { try compare(claim, &run, hasher) }
            run.nextStored = try nextStored(after: claim.size, &run)
        }
    }

    private func compare(
        _ claim: AuditVerification.Claim, _ run: inout AuditVerification, _ hasher: borrowing TreeHasher
    ) throws(DomeError) {
        guard try Self.root(run, hasher) != claim.root else {
            if !run.hasFailedClaim { run.goodSize = claim.size }
            return
        }
        // Once one fails, all later ones do.
        guard !run.hasFailedClaim else { return }
        run.hasFailedClaim = true
        run.add(
            (run.goodSize + 1)...max(run.goodSize + 1, claim.size), "checkpoint",
            "events \(run.goodSize + 1) to \(claim.size) are not those that \(claim.who) was signed for: at least one of "
                + "them was changed, inserted or moved afterwards")
    }

    /// Of complete blocks and of what was read of the next.
    private static func root(
        _ run: AuditVerification, _ hasher: borrowing TreeHasher
    ) throws(DomeError) -> Digest {
        var root: Digest?
        for left in (run.tree.subtrees + run.block.subtrees).reversed() {
            if let right = root { root = try hasher.node(left, right) } else { root = left }
        }
        if let root { return root }
        return try TreeHasher.emptyRoot()
    }

    private func finishLeaves(_ run: inout AuditVerification, _ hasher: borrowing TreeHasher) throws(DomeError) {
        if run.checked < run.total {
            run.add(run.checked + 1, "missing", "the log ends at \(run.checked), before event \(run.total)")
        }
        if !run.isTreeLost { run.root = try Self.root(run, hasher) }
        try checkRedactions(&run)
        run.hasReadLeaves = true
    }
}
