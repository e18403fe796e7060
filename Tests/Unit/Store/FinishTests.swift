import DomeModel
import DomeStore
import Testing

@Suite struct `Finishing` {
    let folder: Folder
    let store: Store

    init() throws {
        folder = try Folder()
        store = try Store(path: folder.database)
    }

    @Test func `writes the end, the documents, the artifacts and the outcome together`() async throws {
        _ = try await store.admit(Sample.job(1))
        let end = Sample.end(1)
        let receipt = try await store.finish(end)
        #expect(!receipt.isRepeat)
        let detail = try #require(try await store.detail(Sample.id(1)))
        #expect(detail.record == receipt.record)
        #expect(detail.record.state == .succeeded && detail.record.lastSeq == 5 && detail.record.exitCode == 0)
        #expect(detail.record.startedNanoseconds == end.startedNanoseconds)
        #expect(detail.record.endedNanoseconds == end.endedNanoseconds)
        #expect(detail.provenanceJSON == end.provenanceJSON && detail.artifacts == end.artifacts)
        #expect(detail.taskJSON == #"{"number":1}"#)
        #expect(try await store.auditRows().map(\.kind) == [.intent, .outcome])
        #expect(try await store.auditRows(jobID: Sample.id(1)).map(\.seq) == [1, 2])
    }

    @Test func `none ends twice: the same end is answered with the stored one`() async throws {
        _ = try await store.admit(Sample.job(1))
        let first = try await store.finish(Sample.end(1))
        var again = Sample.end(1)
        again.endedNanoseconds += 1
        again.message = "later"
        let second = try await store.finish(again)
        #expect(second.isRepeat && second.record == first.record)
        #expect(try await store.auditRows().count == 2)
    }

    @Test(arguments: [JobState.failed, .canceled]) func `another end is refused`(_ other: JobState) async throws {
        _ = try await store.admit(Sample.job(1))
        let first = try await store.finish(Sample.end(1))
        let error = await #expect(throws: DomeError.self) { try await store.finish(Sample.end(1, other)) }
        #expect(error?.code == .invalidTransition)
        #expect(try await store.job(Sample.id(1)) == first.record)
        #expect(try await store.auditRows().count == 2)
    }

    @Test func `two ends that race leave one outcome`() async throws {
        for number in 1...20 {
            _ = try await store.admit(Sample.job(number))
            async let one = outcome(Sample.end(number, .succeeded))
            async let other = outcome(Sample.end(number, .canceled))
            let results = await [one, other]
            #expect(results.filter { $0 == nil }.count == 1)
            #expect(results.compactMap { $0 } == [.invalidTransition])
            #expect(try await store.auditRows(jobID: Sample.id(number)).map(\.kind) == [.intent, .outcome])
        }
    }

    private func outcome(_ end: FinishedJob) async -> ErrorCode? {
        do throws(DomeError) {
            _ = try await store.finish(end)
            return nil
        } catch { return error.code }
    }

    @Test func `an unknown job is not found`() async throws {
        let error = await #expect(throws: DomeError.self) { try await store.finish(Sample.end(9)) }
        #expect(error?.code == .notFound && error?.message == "job not found: \(Sample.id(9))")
    }

    @Test func `a job that never started may fail or be canceled, not succeed`() async throws {
        for number in 1...3 { _ = try await store.admit(Sample.job(number)) }
        _ = try await store.finish(Sample.end(1, .failed, started: false))
        _ = try await store.finish(Sample.end(2, .canceled, started: false))
        let error = await #expect(throws: DomeError.self) {
            try await store.finish(Sample.end(3, .succeeded, started: false))
        }
        #expect(error?.code == .invalidTransition)
        #expect(try await store.job(Sample.id(3))?.state == .queued)
    }

    @Test(arguments: [JobState.queued, .running]) func `only a terminal state is an end`(_ state: JobState) async throws
    {
        _ = try await store.admit(Sample.job(1))
        let error = await #expect(throws: DomeError.self) { try await store.finish(Sample.end(1, state)) }
        #expect(error?.code == .invalidTransition)
    }

    @Test func `a running mark is seen by the next read and makes success possible`() async throws {
        _ = try await store.admit(Sample.job(1))
        store.markRunning(Sample.id(1), startedNanoseconds: 77)
        #expect(try await store.job(Sample.id(1))?.state == .running)
        #expect(try await store.countsByState() == [.running: 1])
        let receipt = try await store.finish(Sample.end(1, .succeeded, started: false))
        #expect(receipt.record.startedNanoseconds == 77)
    }

    @Test func `a mark and the end right after it, without a read between them`() async throws {
        _ = try await store.admit(Sample.job(1))
        store.markRunning(Sample.id(1), startedNanoseconds: 77)
        #expect(try await store.finish(Sample.end(1, .succeeded, started: false)).record.state == .succeeded)
        store.markRunning(Sample.id(1), startedNanoseconds: 99)
        #expect(try await store.job(Sample.id(1))?.state == .succeeded)
        store.markRunning(Sample.id(2), startedNanoseconds: 99)
        #expect(try await store.job(Sample.id(2)) == nil)
    }
}
