import DomeCrypto
import DomeModel
import DomePlatform
import Glibc

@testable import DomeStore

/// A log of some 700 events: jobs of three tools, cancels, denials, and a clock that goes backwards in the middle.
struct SampleLog {
    let folder: Folder
    let store: Store
    static let count = 700

    /// Made once; every test gets a copy.
    private static let template = Task { try await Template() }

    init() async throws {
        let template = try await Self.template.value
        folder = try Folder()
        for name in ["/domed.sqlite", "/anchor"] {
            try Files.writeAtomically(
                folder.path + name, try Files.read(template.folder.path + name, limitBytes: 1 << 26))
        }
        store = try Store(path: folder.database, options: Audit.options(folder))
    }

    /// Everything, as the table has it.
    func all() async throws -> [AuditRow] {
        try await Audit.reader(folder.database).leaves(AuditFilter(), from: 0, isDown: false, limit: 10_000).rows
    }

    /// Changes the database as somebody would who has the file: past the triggers, while no daemon has it open.
    func tamper(_ sql: String) async throws {
        try await store.close()
        let connection = try Connection(path: folder.database, busyTimeoutMilliseconds: 1_000)
        defer { connection.close() }
        let triggers = try connection.all(
            composed: "SELECT name FROM sqlite_schema WHERE type = 'trigger'", [], what: "look"
        ) { row in row.text(0) }
        for name in triggers { try connection.execute("DROP TRIGGER \(name)", what: "drop") }
        try connection.execute(sql, what: "tamper")
        connection.setCheckpointsOnClose(true)
    }
}

/// The log that the tests take copies of.
private struct Template {
    let folder: Folder

    init() async throws {
        folder = try Folder()
        try await fill(0..<151)
        try await sign()
        try await fill(151..<(SampleLog.count / 2))
        try await sign()
    }

    /// Signed here and nowhere else: on a busy machine a second may pass between two events.
    private func sign() async throws {
        let store = try Store(path: folder.database, options: Audit.options(folder))
        try await store.checkpointAudit()
        try await store.close()
    }

    private func fill(_ numbers: Range<Int>) async throws {
        let store = try Store(path: folder.database)
        for number in numbers {
            var job = try Sample.job(number, tool: "tool.\(number % 3)")
            let time = Sample.time + Int64(number > 200 ? number - 100 : number) * 1_000_000_000
            let payload = try AuditPayload(Array(job.taskJSON.utf8), isKeptHere: false)
            job.intent = AuditEntry(
                .intent, timeNanoseconds: time, actor: Caller(userID: 1000 + UInt32(number % 2), processID: 7),
                jobID: job.jobID, toolID: job.toolID, payload: payload)
            _ = try await store.admit(job)
            if number % 50 == 0 {
                let task = try AuditPayload(Array("{\"n\":\(number)}".utf8), isKeptHere: true)
                try await store.appendAudit(
                    AuditEntry(
                        .denied, timeNanoseconds: time, actor: Sample.caller, toolID: "tool.9", outcome: "denied",
                        payload: task))
            }
            guard number % 50 != 1 else { continue }
            var end = Sample.end(number, number % 7 == 0 ? .failed : .succeeded)
            let details: JSONObject = ["provenance_sha256": .string(try SHA256.digest(end.provenanceJSON).hex)]
            end.outcome = AuditEntry(
                .outcome, timeNanoseconds: time + 1_000, actor: Sample.caller, jobID: job.jobID, toolID: job.toolID,
                outcome: end.state.name, details: details)
            _ = try await store.finish(end)
        }
        try await store.close()
    }
}
