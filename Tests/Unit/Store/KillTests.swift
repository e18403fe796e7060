import DomeModel
import DomePlatform
import DomeStore
import Glibc
import Synchronization
import Testing

/// A process of its own admits and ends jobs and redacts their tasks, four at a time, until it kills itself (SIGKILL) at a given point of a
/// transaction. Whatever it had been told is durable must then be there, and nothing by halves.
@Suite struct `A killed process` {
    static let visits = [1, 2, 5]

    @Test(arguments: CommitPoint.allCases, visits)
    func `leaves job and intent both or neither, no outcome without its end, no redaction without its event`(
        _ point: CommitPoint, _ visit: Int
    ) async throws {
        let folder = try Folder()
        await #expect(processExitsWith: .signal(SIGKILL)) {
            [path = folder.path as String, point = point.rawValue as String, visit = visit as Int] in
            try await Victim.run(folder: path, point: point, visit: visit)
        }
        let store = try Store(path: folder.database, options: Audit.options(folder))
        #expect(try await store.integrityReport().isEmpty)
        try await checkWholeness(store)
        let answered = Victim.answered(folder: folder.path)
        for (id, state) in answered {
            let stored = try #require(try await store.job(id), "\(id) was answered and is gone")
            #expect(stored.state == state || state == .queued)
        }
        // Recovery repeats what it does not know to be done: that must work from every such state.
        for job in try await store.unfinishedJobs() {
            guard let number = Int(job.idempotencyKey.dropFirst(4)) else { continue }
            #expect(try await !store.finish(Sample.end(number, .failed)).isRepeat)
        }
        try await checkWholeness(store)
        try await store.close()
        // What was signed before it died still holds, and the anchor outside too.
        #expect(try await Audit.findings(folder).isEmpty)
    }

    private func checkWholeness(_ store: Store) async throws {
        var intents: [JobID: Int] = [:]
        var outcomes: [JobID: Int] = [:]
        var redacted: Set<JobID> = []
        let rows = try await store.auditRows(limit: 100_000)
        for row in rows {
            let id = try #require(row.jobID)
            switch row.kind {
            case .intent: intents[id, default: 0] += 1
            case .redacted: #expect(redacted.insert(id).inserted)
            default: outcomes[id, default: 0] += 1
            }
        }
        #expect(rows.map(\.seq) == Array(0..<Int64(rows.count)).map { $0 + 1 })
        let jobs = try await store.jobs(pageSize: 1000).records
        #expect(Set(jobs.map(\.jobID)) == Set(intents.keys))
        #expect(intents.values.allSatisfy { $0 == 1 } && outcomes.values.allSatisfy { $0 == 1 })
        #expect(Set(jobs.filter(\.state.isTerminal).map(\.jobID)) == Set(outcomes.keys))
        for job in jobs {
            let detail = try #require(try await store.detail(job.jobID))
            #expect(detail.artifacts.count == (job.state.isTerminal ? 1 : 0))
            #expect((detail.provenanceJSON != "{}") == job.state.isTerminal)
            let isErased = [detail.taskJSON == "null", detail.provenanceJSON.contains("redacted")]
            #expect(isErased == [redacted.contains(job.jobID), redacted.contains(job.jobID)])
        }
    }
}

/// The process that dies.
enum Victim {
    static func run(folder: String, point: String, visit: Int) async throws {
        let count = Countdown(visit)
        var options = Audit.options(folder)
        options.fault = { reached in
            if reached.rawValue == point, count.isLast() { kill(getpid(), SIGKILL) }
            return nil
        }
        let store = try Store(path: folder + "/domed.sqlite", options: options)
        let redacts = ["taskErased", "payloadErased", "redactionAppended", "redacted"].contains(point)
        let log = try Files.open(folder + "/answered", O_WRONLY | O_CREAT | O_APPEND)
        await withTaskGroup(of: Void.self) { group in
            for client in 0..<4 {
                group.addTask {
                    do { try await live(store, log, client, redacts: redacts) } catch { print("victim: \(error)") }
                }
            }
        }
    }

    private static func live(
        _ store: Store, _ log: FileDescriptor, _ client: Int, redacts: Bool
    ) async throws {
        for round in 0..<1000 {
            let number = client * 1000 + round
            var job = try Sample.job(number)
            // Large enough for checkpoints to become due.
            job.taskJSON = String(repeating: "x", count: 100_000)
            job.intent = AuditEntry(
                .intent, timeNanoseconds: Sample.time, actor: Sample.caller, jobID: job.jobID,
                payload: try AuditPayload(Array(job.taskJSON.utf8), isKeptHere: false))
            _ = try await store.admit(job)
            try note(log, job.jobID, .queued)
            store.markRunning(job.jobID, startedNanoseconds: 7)
            let end = Sample.end(number)
            _ = try await store.finish(end)
            try note(log, job.jobID, end.state)
            // Not always: it empties the write-ahead log, and then that is never copied.
            guard redacts else { continue }
            let intent = try #require(try await store.auditRows(jobID: job.jobID).first)
            _ = try await store.redact(Sample.redaction(intent.seq))
        }
    }

    private static func note(_ log: FileDescriptor, _ id: JobID, _ state: JobState) throws {
        try Files.writeAll(log, Array("\(id) \(state.name)\n".utf8), what: "answered")
    }

    /// What the victim had been told, as far as it noted it.
    static func answered(folder: String) -> [(JobID, JobState)] {
        let bytes = (try? Files.read(folder + "/answered", limitBytes: 1 << 20)) ?? []
        return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { line in
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 2, let id = JobID(words[0]), let state = JobState(name: words[1]) else { return nil }
            return (id, state)
        }
    }

    private final class Countdown: Sendable {
        private let remaining: Mutex<Int>
        init(_ count: Int) { remaining = Mutex(count) }
        func isLast() -> Bool {
            remaining.withLock { count in
                count -= 1
                return count == 0
            }
        }
    }
}
