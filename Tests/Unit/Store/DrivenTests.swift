import DomeModel
import DomeStore
import Testing

@Suite struct `Driven jobs` {
    let folder: Folder
    let store: Store

    init() throws {
        folder = try Folder()
        store = try Store(path: folder.database)
    }

    private func driven(_ number: Int, _ handle: String = "h") -> DrivenJob {
        DrivenJob(jobID: Sample.id(number), executor: "org.example.cluster", handle: handle, limitsJSON: "{}")
    }

    @Test func `a handle is kept, and the last one counts`() async throws {
        _ = try await store.admit(Sample.job(1))
        #expect(try await store.driven(Sample.id(1)) == nil)
        try await store.keep(driven(1))
        #expect(try await store.driven(Sample.id(1)) == driven(1))
        try await store.keep(driven(1, "other ü"))
        #expect(try await store.driven(Sample.id(1))?.handle == "other ü")
    }

    @Test func `a job that is not there has none`() async throws {
        await #expect(throws: DomeError.self) { try await store.keep(driven(1)) }
    }

    @Test func `a wish to cancel is kept, the first one, and only of driven jobs`() async throws {
        _ = try await store.admit(Sample.job(1))
        try await store.cancelDriven(Sample.id(1), atNanoseconds: 5)
        #expect(try await store.driven(Sample.id(1)) == nil)
        try await store.keep(driven(1))
        try await store.cancelDriven(Sample.id(1), atNanoseconds: 7)
        try await store.cancelDriven(Sample.id(1), atNanoseconds: 9)
        try await store.keep(driven(1))
        #expect(try await store.driven(Sample.id(1))?.cancelRequestedNanoseconds == 7)
    }

    @Test func `it goes with its job`() async throws {
        _ = try await store.admit(Sample.job(1))
        try await store.keep(driven(1))
        _ = try await store.finish(Sample.end(1))
        let entry = AuditEntry(.retention, timeNanoseconds: 1, actor: Sample.caller)
        #expect(try await store.deleteJobs([Sample.id(1)], audit: entry) == 1)
        #expect(try await store.driven(Sample.id(1)) == nil)
    }
}
