import DomeCrypto
import DomeModel
import DomePlatform
import Glibc
import Testing

@testable import DomeStore

@Suite struct `Asking the audit log` {
    @Test func `finds what looking at every event finds, both ways, page by page`() async throws {
        let log = try await SampleLog()
        let all = try await log.all()
        let reader = try Audit.reader(log.folder.database)
        var filters = [AuditFilter()]
        for change in [
            { $0.toolID = "tool.1" }, { $0.toolID = "tool.9" }, { $0.toolID = "none" }, { $0.kind = "outcome" },
            { $0.outcome = "failed" }, { $0.actorUserID = 1001 }, { $0.jobID = Sample.id(321) },
            { $0.sinceNanoseconds = Sample.time + 150_000_000_000 },
            { $0.untilNanoseconds = Sample.time + 150_000_000_000 },
            { $0.sinceNanoseconds = Sample.time + 500_000_000_000 },
        ] as [(inout AuditFilter) -> Void] {
            for var filter in filters {
                change(&filter)
                filters.append(filter)
            }
        }
        for filter in filters {
            let expected = all.filter { filter.admits($0) }.map(\.seq)
            for (isDown, size) in [(false, 7), (true, 100)] {
                var found: [Int64] = []
                var position: Int64?
                repeat {
                    let page = try await reader.leaves(filter, from: position, isDown: isDown, limit: size)
                    found += page.rows.map(\.seq)
                    position = page.next
                } while position != nil
                #expect(found == (isDown ? expected.reversed() : expected), "\(filter)")
            }
        }
    }

    @Test(arguments: AuditGrouping.allCases, [nil, Sample.time + 120_000_000_000])
    func `counts what counting every event counts`(_ grouping: AuditGrouping, _ since: Int64?) async throws {
        let log = try await SampleLog()
        var expected: [String: Int] = [:]
        for row in try await log.all() where row.timeNanoseconds >= since ?? .min {
            let key: String? =
                switch grouping {
                case .tool: row.toolID
                case .actor: String(row.actorUserID)
                case .outcome: row.outcome
                case .kind: row.kind.rawValue
                case .day: String(Timestamp.format(nanoseconds: row.timeNanoseconds).prefix(10))
                }
            if let key { expected[key, default: 0] += 1 }
        }
        let counts = try await Audit.reader(log.folder.database).counts(by: grouping, since: since, until: nil)
        #expect(Dictionary(uniqueKeysWithValues: counts.map { ($0.key, $0.count) }) == expected)
    }

    @Test func `a cursor is taken back, and nothing else`() throws {
        #expect(try AuditCursor.parse(AuditCursor.text(500)) == 500)
        for text in ["", "500", "a1-", "a1-G", "a1-01", "a1--1", "p1-1"] {
            let error = #expect(throws: DomeError.self) { try AuditCursor.parse(text) }
            #expect(error?.message.contains("a1-1f4") == true)
        }
    }
}

@Suite struct `Checkpoints` {
    @Test func `come by themselves when nothing happens, and every 256 events when much does`() async throws {
        let folder = try Folder()
        let store = try Store(path: folder.database, options: Audit.options(folder))
        let reader = try Audit.reader(folder.database)
        func newest() async throws -> UInt64 {
            try await reader.newestCheckpoint().map { try LogCheckpoint(parsing: $0.text).size } ?? 0
        }
        _ = try await store.admit(Sample.job(0))
        while try await newest() < 1 { try await Task.sleep(for: .milliseconds(20)) }
        for number in 1..<600 { _ = try await store.admit(Sample.job(number)) }
        while try await newest() < 600 { try await Task.sleep(for: .milliseconds(20)) }
        #expect(try await Audit.findings(folder).isEmpty)
        try await store.close()
        let again = try Store(path: folder.database, options: Audit.options(folder))
        _ = try await again.admit(Sample.job(600))
        try await again.close()
        #expect(try await newest() == 601)
        #expect(try await Audit.findings(folder).isEmpty)
    }

    /// A checkpoint can be made again; a job's commit must be on the disk when it returns, also after a checkpoint.
    @Test(arguments: [false, true]) func `leave every other commit synced`(_ fails: Bool) async throws {
        let folder = try Folder()
        let faults = Faults()
        var options = faults.options
        options.auditSigner = Audit.signer
        let store = try Store(path: folder.database, options: options)
        // Before there is anything to be signed: on a busy machine that is done a second later, before it is asked for.
        if fails { faults.fail(.auditSigned, times: 1_000_000) }
        _ = try await store.admit(Sample.job(1))
        #expect(try await store.synchronousMode() == 2)
        if fails {
            await #expect(throws: DomeError.self) { try await store.checkpointAudit() }
        } else {
            try await store.checkpointAudit()
        }
        #expect(try await store.synchronousMode() == 2)
    }

    @Test func `cannot be written on a full disk, say so, and come when there is room`() async throws {
        let folder = try Folder()
        let faults = Faults()
        var options = faults.options
        options.auditSigner = Audit.signer
        options.auditAnchorPath = folder.path + "/anchor"
        let store = try Store(path: folder.database, options: options)
        faults.fail(.auditSigned, times: 1_000)
        for number in 0..<300 { _ = try await store.admit(Sample.job(number)) }
        await #expect(throws: DomeError.self) { try await store.checkpointAudit() }
        while store.auditProblems.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
        #expect(store.auditProblems.first?.contains("not being signed") == true)
        faults.fail(.auditSigned, times: 0)
        try await store.checkpointAudit()
        #expect(store.auditProblems.isEmpty)
        #expect(try await Audit.findings(folder).isEmpty)
    }
}
