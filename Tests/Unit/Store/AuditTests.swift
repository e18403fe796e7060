import DomeCrypto
import DomeModel
import DomePlatform
import Glibc
import Testing

@testable import DomeStore

@Suite struct `The audit log` {
    @Test func `holds, with checkpoints that an independent tree agrees with`() async throws {
        let log = try await SampleLog()
        #expect(try await Audit.findings(log.folder).isEmpty)
        let rows = try await log.all()
        #expect(rows.map(\.seq) == Array(1...Int64(rows.count)))
        let hasher = try TreeHasher()
        var tree = MerkleFrontier()
        for row in rows { try tree.append(try hasher.leaf(row.leaf), hasher) }
        let reader = try Audit.reader(log.folder.database)
        let note = try #require(try await reader.newestCheckpoint())
        #expect(try LogCheckpoint(parsing: note.text).root == tree.root(hasher))
        #expect(AuditAnchor.newest(path: log.folder.path + "/anchor") == note)
    }

    @Test func `proves every kind of place in it, offline, and nothing that is not there`() async throws {
        let log = try await SampleLog()
        let verifier = try #require(Audit.signer?.verifier)
        let reader = try Audit.reader(log.folder.database)
        let rows = try await log.all()
        for seq in [1, 2, 255, 256, 257, 512, 513, rows.count - 1, rows.count] {
            let proof = try LogProof(parsing: try await reader.proof(of: Int64(seq)).rendered)
            let leaf = rows[seq - 1].leaf
            #expect(proof.extra == leaf)
            #expect(try proof.verify(leaf: leaf, by: [verifier]).size == UInt64(rows.count))
            #expect(throws: DomeError.self) { try proof.verify(leaf: leaf + [0x20], by: [verifier]) }
        }
        let error = await #expect(throws: DomeError.self) { try await reader.proof(of: 9_999) }
        #expect(error?.code == .notFound && error?.message.contains("from 1 to \(rows.count)") == true)
    }

    /// What somebody does to the database, and the first finding that must come of it.
    static let deeds: [(sql: String, what: String, seq: Int64)] = [
        (
            "UPDATE audit SET leaf = CAST(replace(CAST(leaf AS TEXT), 'intent', 'intend') AS BLOB) WHERE seq = 301",
            "columns", 301
        ),
        (
            "UPDATE audit SET leaf = CAST(replace(CAST(leaf AS TEXT), '\"pid\":7', '\"pid\":8') AS BLOB) WHERE seq = 301",
            "changed", 301
        ),
        (
            "UPDATE audit SET outcome = 'succeeded' WHERE seq = (SELECT min(seq) FROM audit WHERE kind = 'denied')",
            "columns", 2
        ),
        ("UPDATE audit SET tool_id = NULL WHERE seq = 5", "columns", 5),
        ("UPDATE audit SET time_ns = time_ns + 1000 WHERE seq = 6", "columns", 6),
        ("UPDATE audit SET actor_uid = 0 WHERE seq = 7", "columns", 7),
        ("UPDATE audit SET hash = zeroblob(32) WHERE seq = 8", "changed", 8),
        ("DELETE FROM audit WHERE seq = 100", "missing", 100),
        ("DELETE FROM audit WHERE seq = 100; UPDATE audit SET seq = seq - 1 WHERE seq > 100", "moved", 100),
        ("DELETE FROM audit WHERE seq > 600", "cut", 601),
        ("DELETE FROM audit WHERE seq > 600; DELETE FROM audit_checkpoints WHERE size > 600", "cut", 601),
        (
            """
            UPDATE audit SET seq = -1 WHERE seq = 20; UPDATE audit SET seq = 20 WHERE seq = 21;
            UPDATE audit SET seq = 21 WHERE seq = -1
            """, "moved", 20
        ),
        (
            """
            UPDATE audit SET seq = -seq WHERE seq >= 40; UPDATE audit SET seq = 1 - seq WHERE seq < 0;
            INSERT INTO audit SELECT 40, time_ns, kind, actor_uid, job_id, tool_id, outcome, leaf, hash, NULL FROM audit
            WHERE seq = 30
            """, "moved", 40
        ),
        (
            "UPDATE audit_checkpoints SET note = replace(note, 'dome/test', 'dome/tess') WHERE size BETWEEN 2 AND 600",
            "signature",
            303
        ),
        ("UPDATE audit_checkpoints SET size = size - 1 WHERE size < 600", "checkpoint", 0),
        ("UPDATE audit_nodes SET hash = zeroblob(32) WHERE position = 1", "node", 257),
        ("UPDATE job_requests SET task_json = '{}' WHERE job = 4", "payload", 7),
        ("UPDATE job_outcomes SET provenance_json = '{}' WHERE job = 4", "provenance", 8),
        ("UPDATE audit_payloads SET payload = x'7b7d' WHERE seq = 2", "payload", 2),
        (
            "UPDATE audit SET salt = NULL WHERE seq = 7; UPDATE job_requests SET task_json = '{}' WHERE job = 4",
            "payload", 7
        ),
        ("UPDATE audit SET salt = NULL WHERE seq = 2; DELETE FROM audit_payloads WHERE seq = 2", "payload", 2),
        ("DELETE FROM job_outcomes WHERE job = 4", "job", 7),
        ("UPDATE audit SET leaf = x'7b' WHERE seq = 8", "columns", 8),
        (
            """
            INSERT INTO audit SELECT 9223372036854775807, time_ns, kind, actor_uid, job_id, tool_id, outcome, leaf, hash,
            NULL FROM audit WHERE seq = 30
            """, "moved", Int64.max
        ),
        (
            """
            INSERT INTO audit SELECT -9, time_ns, kind, actor_uid, job_id, tool_id, outcome, leaf, hash, NULL FROM audit
            WHERE seq = 30
            """, "moved", 1
        ),
    ]

    @Test(arguments: deeds.indices) func `names what was tampered with`(_ index: Int) async throws {
        let deed = Self.deeds[index]
        let log = try await SampleLog()
        try await log.tamper(deed.sql)
        let first = try #require(try await Audit.findings(log.folder).first, "\(deed.sql)")
        #expect(first.what == deed.what && (first.seq == deed.seq || deed.seq == 0), "\(deed.sql): \(first)")
    }

    @Test func `names the block when a leaf is changed with its hash, and the checkpoint when the block's is too`()
        async throws
    {
        for both in [false, true] {
            let log = try await SampleLog()
            let row = try await log.all()[300]
            let leaf = Array(String(decoding: row.leaf, as: UTF8.self).replacing("\"pid\":7", with: "\"pid\":8").utf8)
            let hash = try TreeHasher().leaf(leaf)
            func hex(_ bytes: [UInt8]) -> String { bytes.map { String(Int($0) + 256, radix: 16).dropFirst() }.joined() }
            var sql = "UPDATE audit SET leaf = x'\(hex(leaf))', hash = x'\(hash.hex)' WHERE seq = 301"
            if both { sql += "; DELETE FROM audit_nodes WHERE position = 1" }
            try await log.tamper(sql)
            let found = try await Audit.findings(log.folder)
            // The checkpoint in the middle of the block comes first; then the block, if it is still known.
            #expect(found.first?.what == "checkpoint" && found.first?.seq ?? .max <= 301, "\(found)")
            #expect(found.contains { $0.what == "node" && $0.seq == 257 } == !both, "\(found)")
        }
    }

    @Test func `a database that was put back to yesterday's copy shows by the anchor`() async throws {
        let folder = try Folder()
        let store = try Store(path: folder.database, options: Audit.options(folder))
        for number in 0..<5 { _ = try await store.admit(Sample.job(number)) }
        try await store.close()
        let copy = try Files.read(folder.database, limitBytes: 1 << 24)
        let again = try Store(path: folder.database, options: Audit.options(folder))
        for number in 5..<9 { _ = try await again.admit(Sample.job(number)) }
        try await again.close()
        try Files.writeAtomically(folder.database, copy)
        let first = try #require(try await Audit.findings(folder).first)
        #expect(first.what == "cut" && first.seq == 6, "\(first)")
    }

    @Test func `a tail that was cut shows by the checkpoints, too`() async throws {
        let log = try await SampleLog()
        try await log.tamper("DELETE FROM audit WHERE seq > 600")
        try Files.removeTree(log.folder.path + "/anchor")
        let found = try await Audit.findings(log.folder)
        #expect(found.first?.what == "cut" && found.first?.seq == 601, "\(found)")
    }

    @Test func `a missing anchor, one of another log, and a checkpoint of another key are named`() async throws {
        let log = try await SampleLog()
        let reader = try Audit.reader(log.folder.database)
        let newest = try #require(try await reader.newestCheckpoint())
        try Files.removeTree(log.folder.path + "/anchor")
        #expect(try await Audit.findings(log.folder).map(\.what) == ["anchor"])
        let key = try Ed25519PrivateKey()
        let resigned = try SignedNote(newest.text, by: NoteSigner(name: "dome/test", key: key))
        #expect(try await Audit.findings(log.folder, against: [resigned]).map(\.what) == ["anchor", "signature"])
        let other = LogCheckpoint(origin: "dome/other", size: 3, root: try SHA256.digest("x"))
        let foreign = try SignedNote(other.text, by: try #require(Audit.signer))
        #expect(try await Audit.findings(log.folder, against: [foreign]).map(\.what) == ["anchor", "origin"])
        let wrong = LogCheckpoint(origin: "dome/test", size: 3, root: try SHA256.digest("x"))
        let lie = try SignedNote(wrong.text, by: try #require(Audit.signer))
        #expect(try await Audit.findings(log.folder, against: [lie]).map(\.what) == ["checkpoint", "anchor"])
    }

    @Test func `an anchor that does not fit is kept when the daemon starts, and found ever after`() async throws {
        let folder = try Folder()
        var copies: [[UInt8]] = []
        for round in 0..<3 {
            let store = try Store(path: folder.database, options: Audit.options(folder))
            for number in 0..<5 { _ = try await store.admit(Sample.job(round * 5 + number)) }
            try await store.close()
            copies.append(try Files.read(folder.database, limitBytes: 1 << 24))
        }
        try Files.writeAtomically(folder.database, copies[0])
        for round in 0..<3 {
            let store = try Store(path: folder.database, options: Audit.options(folder))
            #expect(await store.anchorFindings().map(\.what) == (round == 0 ? ["cut"] : []))
            _ = try await store.admit(Sample.job(100 + round))
            try await store.close()
            #expect(try await Audit.findings(folder).map(\.what) == ["cut"])
        }
        // Grown past the anchor: other leaves stand where it says that its own did.
        let store = try Store(path: folder.database, options: Audit.options(folder))
        for number in 200..<210 { _ = try await store.admit(Sample.job(number)) }
        try await store.close()
        #expect(try await Audit.findings(folder).map(\.what) == ["checkpoint"])
        try Files.removeTree(folder.path + "/anchor")
        let again = try Store(path: folder.database, options: Audit.options(folder))
        #expect(await again.anchorFindings().map(\.what) == ["anchor"])
    }

    @Test func `an anchor of which one half was cut short is the other half`() async throws {
        let log = try await SampleLog()
        let path = log.folder.path + "/anchor"
        let before = try #require(AuditAnchor.newest(path: path))
        try await log.store.appendAudit(AuditEntry(.canceled, timeNanoseconds: 1, actor: Sample.caller))
        try await log.store.checkpointAudit()
        let bytes = try Files.read(path, limitBytes: 1 << 20)
        let newer = try #require(AuditAnchor.newest(path: path))
        #expect(newer != before && bytes.count == 2 * AuditAnchor.slotBytes)
        let text = Array(newer.text.utf8)
        let place = try #require((0..<bytes.count).first { bytes[$0...].starts(with: text) })
        var cut = bytes
        for index in (place + 20)..<(place + AuditAnchor.slotBytes - 20) { cut[index] = 0 }
        try Files.writeAtomically(path, cut)
        #expect(AuditAnchor.newest(path: path) == before)
    }
}
