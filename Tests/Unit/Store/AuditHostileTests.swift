import DomeCrypto
import DomeModel
import Testing

@testable import DomeStore

@Suite struct `An audit log that somebody else wrote in` {
    /// Numbers that no dome writes, where it counts with them.
    static let deeds = [
        "UPDATE audit_terms SET block = block + 9223372036854775000 WHERE term = 'k:intent' AND block = 1",
        "INSERT INTO audit_terms VALUES('k:intent', -36028797018963969, zeroblob(32))",
        "INSERT INTO audit_terms SELECT 'k:intent', 36028797018963967, leaves FROM audit_terms LIMIT 1",
        "UPDATE audit_terms SET leaves = x'00'",
        "INSERT INTO audit_jobs SELECT job_id, 36028797018963967 FROM audit_jobs",
        "INSERT INTO audit_blocks VALUES(9223372036854775807, 0, 9223372036854775807, 9223372036854775807)",
        "INSERT INTO audit_blocks VALUES(-1, -9223372036854775807, 9223372036854775807, 9223372036854775807)",
        "UPDATE audit SET time_ns = 9223372036854775807 WHERE seq < 9",
        "UPDATE audit SET actor_uid = -1, tool_id = NULL, job_id = 'none' WHERE seq < 9",
        "INSERT INTO audit SELECT 9223372036854775807, time_ns, kind, actor_uid, job_id, tool_id, outcome, leaf, hash, NULL FROM audit WHERE seq = 30",
        "INSERT INTO audit_nodes VALUES(8, 9223372036854775807, zeroblob(32))",
        "INSERT INTO audit_checkpoints VALUES(9223372036854775807, 'x')",
    ]

    @Test(arguments: deeds) func `is still read, counted and verified, and the daemon starts on it`(
        _ sql: String
    ) async throws {
        let log = try await SampleLog()
        try await log.tamper(sql)
        let reader = try Audit.reader(log.folder.database)
        var filters = [AuditFilter(), AuditFilter(), AuditFilter()]
        filters[1].kind = "intent"
        filters[2].jobID = Sample.id(200)
        filters[2].sinceNanoseconds = Sample.time
        for filter in filters {
            for isDown in [false, true] {
                let page = try await reader.leaves(filter, from: nil, isDown: isDown, limit: 2_000)
                #expect(page.rows.count <= SampleLog.count + 20)
            }
        }
        for grouping in AuditGrouping.allCases {
            #expect(try await !reader.counts(by: grouping, since: Sample.time, until: nil).isEmpty)
        }
        _ = try await Audit.findings(log.folder)
        let store = try Store(path: log.folder.database, options: Audit.options(log.folder))
        let job = try Sample.job(9_999)
        do throws(DomeError) { _ = try await store.admit(job) } catch {
            #expect(error.message.contains("somebody inserted"))
        }
        try? await store.close()
    }

    @Test func `a leaf whose time is at the end of all times is named, not counted with`() async throws {
        let log = try await SampleLog()
        let row = try await log.all()[4]
        let text = String(decoding: row.leaf, as: UTF8.self)
        let time = Timestamp.format(nanoseconds: row.timeNanoseconds)
        let leaf = Array(text.replacing(time, with: "2262-04-11T23:47:59.999999Z").utf8)
        let hex = leaf.map { String(Int($0) + 256, radix: 16).dropFirst() }.joined()
        try await log.tamper("UPDATE audit SET leaf = x'\(hex)' WHERE seq = 5")
        #expect(try await Audit.findings(log.folder).first?.what == "columns")
    }

    @Test func `what comes while it is verified is no finding`() async throws {
        let log = try await SampleLog()
        let reader = try Audit.reader(log.folder.database)
        let witnesses = AuditWitnesses(
            origin: "dome/test", verifiers: Audit.signer.map { [$0.verifier] } ?? [],
            anchorPath: log.folder.path + "/anchor")
        var run = try await reader.beginVerification(witnesses)
        for number in 0..<300 { _ = try await log.store.admit(Sample.job(5_000 + number)) }
        try await log.store.checkpointAudit()
        while !run.isDone { run = try await reader.advanced(run) }
        let last = try await reader.lastSeq()
        #expect(run.findings.isEmpty && run.total < last, "\(run.findings)")
    }
}
