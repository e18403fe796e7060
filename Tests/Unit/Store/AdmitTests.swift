import DomeModel
import DomeStore
import Testing

@Suite struct `Admission` {
    let folder: Folder
    let store: Store

    init() throws {
        folder = try Folder()
        store = try Store(path: folder.database)
    }

    @Test func `writes job, request and intent together`() async throws {
        guard case .admitted(let record) = try await store.admit(Sample.job(1)) else {
            Issue.record("not admitted")
            return
        }
        #expect(record.state == .queued && record.jobID == Sample.id(1) && record.admissionNumber == 1)
        #expect(try await store.job(Sample.id(1)) == record)
        let detail = try #require(try await store.detail(Sample.id(1)))
        #expect(detail.record == record && detail.taskJSON == #"{"number":1}"# && detail.artifacts.isEmpty)
        let rows = try await store.auditRows()
        #expect(rows.map(\.kind) == [.intent] && rows.first?.jobID == Sample.id(1) && rows.first?.seq == 1)
    }

    @Test func `the same key with the same request is the same job, and nothing is written`() async throws {
        _ = try await store.admit(Sample.job(1, key: "k"))
        guard case .replayed(let record) = try await store.admit(Sample.job(2, key: "k")) else {
            Issue.record("not replayed")
            return
        }
        #expect(record.jobID == Sample.id(1))
        #expect(try await store.job(Sample.id(2)) == nil)
        #expect(try await store.auditRows().count == 1)
        #expect(try await store.job(forKey: "k")?.jobID == Sample.id(1))
        #expect(try await store.job(forKey: "K") == nil)
    }

    @Test func `the same key with another request is refused`() async throws {
        _ = try await store.admit(Sample.job(1, key: "k"))
        let error = await #expect(throws: DomeError.self) {
            try await store.admit(Sample.job(2, key: "k", request: "another"))
        }
        #expect(error?.code == .idempotencyKeyReused)
        #expect(error?.message.contains(Sample.id(1).text) == true)
        #expect(try await store.auditRows().count == 1)
    }

    @Test func `a job id that exists is refused without touching the first job`() async throws {
        _ = try await store.admit(Sample.job(1, key: "a"))
        let error = await #expect(throws: DomeError.self) { try await store.admit(Sample.job(1, key: "b")) }
        #expect(error?.code == .internal)
        #expect(try await store.job(Sample.id(1))?.idempotencyKey == "a")
        #expect(try await store.job(forKey: "b") == nil)
        #expect(try await store.auditRows().count == 1)
    }

    @Test(arguments: [
        "", "\u{0}nul\u{0}", "quote ' \" ; DROP TABLE jobs", "émoji 🦀", String(repeating: "x", count: 70_000),
    ])
    func `any text comes back as it went in`(_ text: String) async throws {
        var job = try Sample.job(1, key: "k" + text, tool: text)
        job.profile = text
        job.taskJSON = text
        _ = try await store.admit(job)
        let detail = try #require(try await store.detail(Sample.id(1)))
        #expect(detail.record.toolID == text && detail.record.profile == text && detail.taskJSON == text)
        #expect(try await store.job(forKey: "k" + text)?.jobID == Sample.id(1))
    }

    @Test func `the completion form answers like the async one`() async throws {
        let job = try Sample.job(1)
        let result = await withCheckedContinuation { continuation in
            store.admit(job) { continuation.resume(returning: $0) }
        }
        #expect(try result.get() == .admitted(#require(try await store.job(Sample.id(1)))))
    }
}
