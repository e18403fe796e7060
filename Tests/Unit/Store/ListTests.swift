import DomeModel
import DomeStore
import Testing

@Suite struct `Lists, audit rows and retention` {
    let folder: Folder
    let store: Store

    init() throws {
        folder = try Folder()
        store = try Store(path: folder.database)
    }

    private func admit(_ numbers: ClosedRange<Int>, tool: String = "job.noop") async throws {
        for number in numbers { _ = try await store.admit(Sample.job(number, tool: tool)) }
    }

    @Test func `pages run from the newest job to the oldest, whatever is admitted meanwhile`() async throws {
        try await admit(1...25)
        var seen: [JobID] = []
        var token = ""
        var sizes: [Int] = []
        repeat {
            let page = try await store.jobs(pageToken: token, pageSize: 10)
            seen += page.records.map(\.jobID)
            sizes.append(page.records.count)
            token = page.nextToken ?? ""
            try await admit(100 + sizes.count...100 + sizes.count)
        } while !token.isEmpty
        #expect(seen == (1...25).reversed().map(Sample.id))
        #expect(sizes == [10, 10, 5])
    }

    @Test func `a page that ends with the last job has no next one`() async throws {
        try await admit(1...10)
        #expect(try await store.jobs(pageSize: 10).nextToken == nil)
        #expect(try await store.jobs(pageSize: 9).nextToken != nil)
        #expect(try await store.jobs().records.count == 10)
    }

    @Test func `filters are ANDed`() async throws {
        try await admit(1...4, tool: "a")
        try await admit(5...8, tool: "b")
        for number in [1, 2, 5] { _ = try await store.finish(Sample.end(number)) }
        _ = try await store.finish(Sample.end(6, .failed))
        func list(_ change: (inout JobFilter) -> Void) async throws -> [JobID] {
            var filter = JobFilter()
            change(&filter)
            return try await store.jobs(filter).records.map(\.jobID)
        }
        #expect(try await list { $0.states = [.succeeded, .failed] } == [6, 5, 2, 1].map(Sample.id))
        #expect(try await list { $0.toolID = "a" } == [4, 3, 2, 1].map(Sample.id))
        let both = try await list {
            $0.toolID = "a"
            $0.states = [.queued]
        }
        #expect(both == [4, 3].map(Sample.id))
        #expect(try await list { $0.profile = "none" }.isEmpty)
        let between = try await list {
            $0.createdSinceNanoseconds = Sample.time + 3
            $0.createdBeforeNanoseconds = Sample.time + 6
        }
        #expect(between == [5, 4, 3].map(Sample.id))
        #expect(try await list { $0.toolID = "a' OR 1=1 --" }.isEmpty)
        #expect(try await store.unfinishedJobs().map(\.jobID) == [3, 4, 7, 8].map(Sample.id))
        #expect(try await store.countsByState() == [.queued: 4, .succeeded: 3, .failed: 1])
    }

    @Test(arguments: [
        "p1-", "p1-0", "p1--1", "p1-+5", "p1-1G", "p1-0a", "p1-A", "x", "p2-1", "p1-ffffffffffffffffff", "p1-1\u{0}",
    ])
    func `a token that this service did not make is refused with the form that is good`(_ token: String) async throws {
        let error = await #expect(throws: DomeError.self) { try await store.jobs(pageToken: token) }
        #expect(error?.code == .invalidRequest)
        #expect(error?.message.contains("next_page_token of the previous reply") == true)
    }

    @Test func `audit rows keep their order, their bytes and their gapless numbers`() async throws {
        try await admit(1...3)
        let entry = AuditEntry(
            .denied, timeNanoseconds: Sample.time + 1_999, actor: Sample.caller, toolID: "t", outcome: "denied",
            details: ["rule": "no \"network\""])
        #expect(try await store.appendAudit(entry) == 4)
        let rows = try await store.auditRows(after: 2, limit: 10)
        #expect(rows.map(\.seq) == [3, 4])
        let row = try #require(rows.last)
        #expect(row.leaf == entry.leaf(seq: 4) && row.kind == .denied && row.outcome == "denied" && row.jobID == nil)
        #expect(row.timeNanoseconds == Sample.time + 1_000)
        let expected =
            #"{"actor":{"pid":4242,"uid":1000},"details":{"rule":"no \"network\""},"kind":"denied","#
            + #""outcome":"denied","seq":4,"time":"2027-01-15T08:00:00.000001Z","tool_id":"t","v":1}"#
        #expect(String(decoding: row.leaf, as: UTF8.self) == expected)
        #expect(try await store.auditRows(limit: 1).map(\.seq) == [1])
        #expect(try await store.auditRows(after: 4).isEmpty)
    }

    @Test func `retention takes ended jobs only, by age, size or number`() async throws {
        try await admit(1...10)
        for number in 1...8 where number != 2 {
            var end = Sample.end(number)
            end.outputBytes = 100
            _ = try await store.finish(end)
        }
        func expired(_ change: (inout RetentionPolicy) -> Void) async throws -> [JobID] {
            var policy = RetentionPolicy()
            change(&policy)
            return try await store.expiredJobs(policy)
        }
        #expect(try await expired { _ in }.isEmpty)
        let cutoff = Sample.end(5).endedNanoseconds
        #expect(try await expired { $0.endedBeforeNanoseconds = cutoff } == [4, 3, 1].map(Sample.id))
        #expect(try await expired { $0.keepJobs = 5 } == [3, 1].map(Sample.id))
        #expect(try await expired { $0.keepBytes = 299 } == [6, 5, 4, 3, 1].map(Sample.id))
        #expect(try await expired { $0.keepJobs = 0 }.count == 7)
    }

    @Test func `deleting frees the key and keeps the audit; unfinished jobs stay`() async throws {
        try await admit(1...2)
        _ = try await store.finish(Sample.end(1))
        let gone = AuditEntry(.retention, timeNanoseconds: Sample.time, actor: Sample.caller)
        let ids = [Sample.id(1), Sample.id(2), Sample.id(3)]
        #expect(try await store.deleteJobs(ids, audit: gone) == 1)
        #expect(try await store.detail(Sample.id(1)) == nil)
        #expect(try await store.job(Sample.id(2)) != nil)
        #expect(try await store.auditRows().map(\.kind) == [.intent, .intent, .outcome, .retention])
        #expect(try await store.integrityReport().isEmpty)
        guard case .admitted = try await store.admit(Sample.job(3, key: "key-1")) else {
            Issue.record("the key was not free")
            return
        }
    }
}
