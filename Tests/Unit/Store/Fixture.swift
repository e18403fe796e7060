// Unit tests of the room Store: real SQLite files in folders of their own.

import DomeAsync
import DomeCrypto
import DomeModel
import DomePlatform
import Glibc
import Synchronization

@testable import DomeStore

/// A folder that goes when the fixture does.
final class Folder: Sendable {
    let path: String
    var database: String { path + "/domed.sqlite" }

    init(in parent: String = "/tmp") throws {
        var template = (parent + "/dome-store-XXXXXX").utf8CString.map { $0 }
        guard let made = mkdtemp(&template) else { throw DomeError.system("create a folder", errno) }
        path = String(cString: made)
    }

    deinit { do { try Files.removeTree(path) } catch { print("left behind: \(path): \(error)") } }
}

/// Jobs with plausible contents, made with nothing but a number.
enum Sample {
    static let caller = Caller(userID: 1000, processID: 4242)
    static let time: Int64 = 1_800_000_000_000_000_000

    static func id(_ number: Int) -> JobID {
        JobID(createdMilliseconds: 1_800_000_000_000 + UInt64(number), random: (UInt64(number), 7))
    }

    static func job(_ number: Int, key: String? = nil, request: String = "request", tool: String = "job.noop") throws
        -> NewJob
    {
        let intent = AuditEntry(
            .intent, timeNanoseconds: time + Int64(number), actor: caller, jobID: id(number), toolID: tool)
        var job = NewJob(
            jobID: id(number), toolID: tool, profile: "default", idempotencyKey: key ?? "key-\(number)",
            requestHash: try SHA256.digest(request), caller: caller, createdNanoseconds: time + Int64(number),
            intent: intent)
        job.taskJSON = "{\"number\":\(number)}"
        return job
    }

    static func redaction(_ seq: Int64) -> AuditRedaction {
        AuditRedaction(event: seq, why: "a password", actor: caller, timeNanoseconds: time)
    }

    static func end(_ number: Int, _ state: JobState = .succeeded, started: Bool = true) -> FinishedJob {
        let outcome = AuditEntry(
            .outcome, timeNanoseconds: time + 1_000_000 + Int64(number), actor: caller, jobID: id(number),
            toolID: "job.noop", outcome: state.name)
        var job = FinishedJob(
            jobID: id(number), state: state, reason: "exited", endedNanoseconds: time + 1_000_000 + Int64(number),
            lastSeq: 5, outcome: outcome)
        if started { job.startedNanoseconds = time + 500_000 + Int64(number) }
        if state == .succeeded { job.exitCode = 0 }
        job.provenanceJSON = "{\"end\":\(number)}"
        job.artifacts = [Artifact(kind: "file", path: "out/\(number)", sha256: nil, byteCount: 3)]
        return job
    }
}

/// A script for the store's fault hook: which points fail next, and how often each was visited.
final class Faults: Sendable {
    private struct State {
        var failures: [CommitPoint: (skip: Int, count: Int)] = [:]
        var visits: [CommitPoint: Int] = [:]
        var onVisit: (@Sendable (CommitPoint) -> Void)?
    }
    private let state = Mutex(State())
    static let error = DomeError(.resourceExhausted, "a fault of the test's")

    /// After `skipped` more visits of `point`, the next `count` fail.
    func fail(_ point: CommitPoint, times count: Int = 1, after skipped: Int = 0) {
        state.withLock { $0.failures[point] = (skipped, count) }
    }
    func visits(_ point: CommitPoint) -> Int { state.withLock { $0.visits[point] ?? 0 } }
    /// Called on the store's thread at every visit.
    func onVisit(_ body: (@Sendable (CommitPoint) -> Void)?) { state.withLock { $0.onVisit = body } }

    var options: StoreOptions {
        var options = StoreOptions()
        options.fault = { point in self.visit(point) }
        return options
    }

    private func visit(_ point: CommitPoint) -> DomeError? {
        let (mustFail, body) = state.withLock { state in
            state.visits[point, default: 0] += 1
            var plan = state.failures[point] ?? (0, 0)
            let isDue = plan.skip == 0 && plan.count > 0
            if plan.skip > 0 { plan.skip -= 1 } else if plan.count > 0 { plan.count -= 1 }
            state.failures[point] = plan
            return (isDue, state.onVisit)
        }
        body?(point)
        return mustFail ? Self.error : nil
    }
}

/// What everybody may read of a store's audit log, and what is needed to prove it.
enum Audit {
    static let signer = try? NoteSigner(name: "dome/test", key: Ed25519PrivateKey(seed: Array(1...32)))
    private static let executor = try? LoopExecutor.onNewThread(named: "test-audit")

    static func reader(_ path: String) throws -> AuditReader {
        guard let executor else { throw DomeError(.internal, "no thread") }
        return AuditReader(path: path, executor: executor)
    }

    static func options(_ folder: Folder) -> StoreOptions { options(folder.path) }

    static func options(_ folder: String) -> StoreOptions {
        var options = StoreOptions()
        options.auditSigner = signer
        options.auditAnchorPath = folder + "/anchor"
        return options
    }

    /// Everything that does not hold, by a reader of its own.
    static func findings(_ folder: Folder, against: [SignedNote] = []) async throws -> [AuditFinding] {
        let reader = try reader(folder.database)
        var witnesses = AuditWitnesses(
            origin: "dome/test", verifiers: signer.map { [$0.verifier] } ?? [], anchorPath: folder.path + "/anchor")
        witnesses.checkpoints = against
        return try await reader.findings(witnesses)
    }
}

extension AuditReader {
    func findings(_ witnesses: AuditWitnesses) throws -> [AuditFinding] {
        var run = try beginVerification(witnesses)
        while !run.isDone { try advance(&run) }
        return run.findings
    }
}

extension Store {
    /// As if its file had become so (SQLite refuses every write with SQLITE_READONLY), or back.
    func makeReadOnly(_ isReadOnly: Bool) throws {
        try database.connection.execute("PRAGMA query_only = \(isReadOnly ? 1 : 0)", what: "make read-only")
    }

    /// 2 is FULL: a commit is on the disk when it returns.
    func synchronousMode() throws -> Int64? {
        try database.connection.all(composed: "PRAGMA synchronous", [], what: "look") { row in row.integer(0) }.first
    }

    /// At most `limit` rows of the audit log with a greater seq, in order; of one job if `jobID` is given.
    nonisolated(nonsending) func auditRows(
        after seq: Int64 = 0, limit: Int = 1000, jobID: JobID? = nil
    ) async throws -> [AuditRow] {
        var filter = AuditFilter()
        filter.jobID = jobID
        let path = await database.path
        return try await Audit.reader(path).leaves(filter, from: seq, isDown: false, limit: limit).rows
    }
}
