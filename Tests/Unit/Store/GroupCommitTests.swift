import DomeModel
import DomeStore
import Glibc
import Synchronization
import Testing

@Suite struct `Group commit` {
    let folder: Folder
    let faults = Faults()
    let store: Store

    init() throws {
        folder = try Folder()
        store = try Store(path: folder.database, options: faults.options)
    }

    /// Holds the store's thread within its first transaction until `count` further writes wait for the next one.
    private func gather(_ count: Int, _ submit: (Int) -> Void) async throws {
        let semaphore = Gate()
        faults.onVisit { point in if point == .begun { semaphore.pass() } }
        async let first = store.admit(Sample.job(1_000))
        await semaphore.reached()
        for number in 0..<count { submit(number) }
        faults.onVisit(nil)
        semaphore.open()
        _ = try await first
    }

    @Test func `writes that wait together share one transaction`() async throws {
        let jobs = try (1...20).map { try Sample.job($0) }
        let answers = Answers()
        try await gather(20) { store.admit(jobs[$0], completion: answers.note) }
        let results = await answers.all(20)
        #expect(results.allSatisfy { $0 == nil })
        #expect(faults.visits(.begun) == 2 && faults.visits(.committed) == 2)
        #expect(try await store.jobs().records.count == 21)
    }

    @Test func `a write that is refused takes nothing with it`() async throws {
        _ = try await store.admit(Sample.job(500, key: "taken", request: "one"))
        let jobs = try (1...9).map { try Sample.job($0, key: $0 == 5 ? "taken" : nil, request: "other") }
        let answers = Answers()
        try await gather(9) { store.admit(jobs[$0], completion: answers.note) }
        #expect(await answers.all(9).compactMap { $0?.code } == [.idempotencyKeyReused])
        #expect(try await store.jobs().records.count == 10)
        #expect(faults.visits(.begun) == 3)
    }

    @Test(arguments: [CommitPoint.jobInserted, .requestInserted, .intentAppended])
    func `a write that fails half-way leaves nothing of itself`(_ point: CommitPoint) async throws {
        let jobs = try (1...9).map { try Sample.job($0) }
        let answers = Answers()
        // The write that holds the gate, four of the group, and then the one that fails.
        faults.fail(point, after: 5)
        try await gather(9) { store.admit(jobs[$0], completion: answers.note) }
        #expect(await answers.all(9).compactMap { $0 } == [Faults.error])
        #expect(faults.visits(.begun) == 2)
        #expect(try await store.job(Sample.id(5)) == nil)
        #expect(try await store.jobs().records.count == 9)
        #expect(try await store.auditRows(limit: 100).map(\.seq) == Array(1...9))
        #expect(try await store.integrityReport().isEmpty)
        guard case .admitted = try await store.admit(jobs[4]) else {
            Issue.record("its key was taken")
            return
        }
    }

    @Test func `a transaction that fails as a whole is tried write by write`() async throws {
        let jobs = try (1...5).map { try Sample.job($0) }
        let answers = Answers()
        try await gather(5) { store.admit(jobs[$0], completion: answers.note) }
        #expect(await answers.all(5).allSatisfy { $0 == nil })
        let more = try (11...15).map { try Sample.job($0) }
        let moreAnswers = Answers()
        // One failure for the group, one for its first write alone.
        let gate = Gate()
        faults.onVisit { point in if point == .begun { gate.pass() } }
        async let first = store.admit(Sample.job(2_000))
        await gate.reached()
        for job in more { store.admit(job, completion: moreAnswers.note) }
        faults.onVisit { [faults] point in
            if point == .committed {
                faults.fail(.committing, times: 2)
                faults.onVisit(nil)
            }
        }
        gate.open()
        _ = try await first
        #expect(await moreAnswers.all(5).compactMap { $0 } == [Faults.error])
        #expect(try await store.jobs().records.count == 11)
        #expect(try await store.auditRows(limit: 100).count == 11)
    }

    @Test(arguments: [CommitPoint.jobUpdated, .outcomeInserted, .artifactInserted, .outcomeAppended, .committing])
    func `an end that fails half-way can be repeated`(_ point: CommitPoint) async throws {
        _ = try await store.admit(Sample.job(1))
        faults.fail(point)
        let error = await #expect(throws: DomeError.self) { try await store.finish(Sample.end(1)) }
        #expect(error == Faults.error)
        #expect(try await store.job(Sample.id(1))?.state == .queued)
        #expect(try await store.auditRows().count == 1)
        #expect(try await !store.finish(Sample.end(1)).isRepeat)
        #expect(try await store.auditRows().count == 2)
    }

    @Test func `marks survive a failed transaction`() async throws {
        _ = try await store.admit(Sample.job(1))
        store.markRunning(Sample.id(1), startedNanoseconds: 7)
        faults.fail(.marksWritten)
        let error = await #expect(throws: DomeError.self) { try await store.job(Sample.id(1)) }
        #expect(error == Faults.error)
        #expect(try await store.job(Sample.id(1))?.state == .running)
    }
}

@Suite struct `Many clients` {
    @Test func `32 clients that race for keys admit each key once, and every job ends once`() async throws {
        let folder = try Folder()
        let store = try Store(path: folder.database)
        let rounds = 25
        let admitted = try await withThrowingTaskGroup(of: Int.self) { group in
            for client in 0..<32 {
                group.addTask {
                    var admitted = 0
                    for round in 0..<rounds {
                        // Four clients share each key.
                        let job = try Sample.job(client * 1000 + round, key: "\(client / 4)-\(round)")
                        guard case .admitted = try await store.admit(job) else { continue }
                        admitted += 1
                        _ = try await store.finish(Sample.end(client * 1000 + round))
                    }
                    return admitted
                }
            }
            return try await group.reduce(0, +)
        }
        #expect(admitted == 8 * rounds)
        #expect(try await store.countsByState() == [.succeeded: 8 * rounds])
        let rows = try await store.auditRows(limit: 10_000)
        #expect(rows.map(\.seq) == Array(1...Int64(16 * rounds)))
        #expect(Set(rows.filter { $0.kind == .outcome }.map(\.jobID)).count == 8 * rounds)
        #expect(try await store.integrityReport().isEmpty)
    }

    @Test func `the log is copied back while clients go on, so it does not grow without end`() async throws {
        let folder = try Folder()
        let faults = Faults()
        let store = try Store(path: folder.database, options: faults.options)
        for number in 0..<150 {
            var job = try Sample.job(number)
            job.taskJSON = String(repeating: "x", count: 200_000)
            _ = try await store.admit(job)
        }
        // 150 tasks of 50 pages: the log has been begun anew several times, and never held half of them.
        #expect(faults.visits(.checkpointed) >= 3)
        var status = stat()
        try #require(stat(folder.database + "-wal", &status) == 0)
        #expect(status.st_size < 15_000_000)
    }
}

/// Stops one thread at a place until it is let go, and tells others that it got there.
final class Gate: @unchecked Sendable {
    // @unchecked: a semaphore is for sharing; it is never moved or destroyed while in use.
    private let passage = UnsafeMutablePointer<sem_t>.allocate(capacity: 1)
    private let arrivals: AsyncStream<Void>
    private let arrival: AsyncStream<Void>.Continuation

    init() {
        sem_init(passage, 0, 0)
        (arrivals, arrival) = AsyncStream.makeStream()
    }

    deinit {
        sem_destroy(passage)
        passage.deallocate()
    }

    /// Called by the thread that is to be held.
    func pass() {
        arrival.yield()
        sem_wait(passage)
    }

    func reached() async {
        for await _ in arrivals { return }
    }

    func open() { sem_post(passage) }
}

/// Collects what completions say.
final class Answers: Sendable {
    private let answers: AsyncStream<DomeError?>
    private let continuation: AsyncStream<DomeError?>.Continuation

    init() { (answers, continuation) = AsyncStream.makeStream() }

    @Sendable func note<Value>(_ result: Result<Value, DomeError>) {
        switch result {
        case .success: continuation.yield(nil)
        case .failure(let error): continuation.yield(error)
        }
    }

    func all(_ count: Int) async -> [DomeError?] {
        var found: [DomeError?] = []
        for await answer in answers {
            found.append(answer)
            if found.count == count { break }
        }
        return found
    }
}
