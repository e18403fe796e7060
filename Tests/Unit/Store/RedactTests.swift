import DomeCrypto
import DomeModel
import DomePlatform
import Testing

@testable import DomeStore

@Suite struct `Redacting` {
    @Test func `erases the payload and its bytes, and leaves every proof intact`() async throws {
        let log = try await SampleLog()
        let reader = try Audit.reader(log.folder.database)
        let rows = try await log.all()
        let before = try await reader.proof(of: 2)
        let denied = try #require(rows.first { $0.kind == .denied })
        let intent = try #require(rows.first { $0.kind == .intent && $0.jobID == Sample.id(123) })
        for row in [denied, intent] {
            #expect(try await reader.payload(of: row) != nil)
            #expect(try await log.store.redact(Sample.redaction(row.seq)) > row.seq)
        }
        #expect(try await reader.payload(of: denied) == nil)
        #expect(try await reader.payload(of: intent) == nil)
        #expect(try await log.store.detail(Sample.id(123))?.taskJSON == "null")
        try await log.store.checkpointAudit()
        #expect(try await Audit.findings(log.folder).isEmpty)
        #expect(try before.verify(leaf: denied.leaf, by: [try #require(Audit.signer?.verifier)]).size > 0)
        try await log.store.close()
        let bytes = String(decoding: try Files.read(log.folder.database, limitBytes: 1 << 26), as: UTF8.self)
        #expect(!bytes.contains(#"{"number":123}"#) && bytes.contains(#"{"number":124}"#))
    }

    @Test func `leaves nothing that the task could be guessed by, and the log vouches for what it leaves`() async throws
    {
        let folder = try Folder()
        let store = try Store(path: folder.database, options: Audit.options(folder))
        for number in 1...2 {
            var job = try Sample.job(number)
            // Of several pages, which are only set free when it goes.
            job.taskJSON = "\"" + String(repeating: "secret-\(number) ", count: 3_000) + "\""
            let payload = try AuditPayload(Array(job.taskJSON.utf8), isKeptHere: false)
            job.intent = AuditEntry(
                .intent, timeNanoseconds: Sample.time, actor: Sample.caller, jobID: job.jobID, payload: payload)
            job.provenanceJSON = #"{"input_hash":"sha256:guess"}"#
            _ = try await store.admit(job)
            var end = Sample.end(number)
            end.provenanceJSON = #"{"input_hash":"sha256:guess","number":\#(number)}"#
            let details: JSONObject = ["provenance_sha256": .string(try SHA256.digest(end.provenanceJSON).hex)]
            end.outcome = AuditEntry(
                .outcome, timeNanoseconds: Sample.time, actor: Sample.caller, jobID: job.jobID, outcome: "succeeded",
                details: details)
            _ = try await store.finish(end)
        }
        _ = try await store.redact(Sample.redaction(1))
        let left = #"{"input_hash":"redacted","number":1}"#
        #expect(try await store.detail(Sample.id(1))?.provenanceJSON == left)
        #expect(try await store.detail(Sample.id(2))?.provenanceJSON.contains("guess") == true)
        // The plain digest of the request is gone, too, so that nobody can tell whether this is the same one.
        let refusal = await #expect(throws: DomeError.self) { try await store.admit(Sample.job(3, key: "key-1")) }
        #expect(refusal?.code == .idempotencyKeyReused && refusal?.message.contains("redacted") == true)
        try await store.checkpointAudit()
        #expect(try await Audit.findings(folder).isEmpty)
        try await store.close()
        let bytes = String(decoding: try Files.read(folder.database, limitBytes: 1 << 26), as: UTF8.self)
        #expect(!bytes.contains("secret-1 ") && bytes.contains("secret-2 "))
        let log = try Connection(path: folder.database, busyTimeoutMilliseconds: 1_000)
        defer { log.close() }
        let texts = try log.all(composed: "SELECT provenance_json FROM job_requests WHERE job = 1", [], what: "look") {
            $0.text(0)
        }
        #expect(texts == [#"{"input_hash":"redacted"}"#])
        try log.execute("UPDATE job_outcomes SET provenance_json = '{}' WHERE job = 1", what: "tamper")
        let findings = try await Audit.findings(folder)
        #expect(findings.map(\.what) == ["provenance"] && findings.first?.seq == 2, "\(findings)")
    }

    @Test func `while it is verified is no finding`() async throws {
        let log = try await SampleLog()
        let reader = try Audit.reader(log.folder.database)
        let witnesses = AuditWitnesses(
            origin: "dome/test", verifiers: Audit.signer.map { [$0.verifier] } ?? [],
            anchorPath: log.folder.path + "/anchor")
        // Before a single leaf is read, and when all are.
        for (redacted, readsFirst) in [(Int64(5), false), (7, true)] {
            var run = try await reader.beginVerification(witnesses)
            while readsFirst, run.checked < run.total { run = try await reader.advanced(run) }
            _ = try await log.store.redact(Sample.redaction(redacted))
            while !run.isDone { run = try await reader.advanced(run) }
            #expect(run.findings.isEmpty, "\(run.findings)")
        }
    }

    @Test func `what has nothing to erase, what runs and what is not there are refused`() async throws {
        let log = try await SampleLog()
        let rows = try await log.all()
        func refusal(_ seq: Int64) async -> DomeError? {
            await #expect(throws: DomeError.self) { try await log.store.redact(Sample.redaction(seq)) }
        }
        let outcome = try #require(rows.first { $0.kind == .outcome })
        #expect(await refusal(outcome.seq)?.message.contains("nothing to erase") == true)
        let running = try #require(rows.first { $0.jobID == Sample.id(1) && $0.kind == .intent })
        #expect(await refusal(running.seq)?.message.contains("has not ended") == true)
        #expect(await refusal(99_999)?.code == .notFound)
        #expect(try await log.all().count == rows.count)
    }

    @Test(arguments: [CommitPoint.taskErased, .payloadErased, .redactionAppended])
    func `half-way failed leaves everything as it was`(_ point: CommitPoint) async throws {
        let folder = try Folder()
        let faults = Faults()
        let store = try Store(path: folder.database, options: faults.options)
        var job = try Sample.job(1)
        let payload = try AuditPayload(Array(job.taskJSON.utf8), isKeptHere: false)
        job.intent = AuditEntry(
            .intent, timeNanoseconds: Sample.time, actor: Sample.caller, jobID: job.jobID, payload: payload)
        _ = try await store.admit(job)
        _ = try await store.finish(Sample.end(1))
        faults.fail(point)
        let error = await #expect(throws: DomeError.self) { try await store.redact(Sample.redaction(1)) }
        #expect(error == Faults.error)
        #expect(try await store.detail(Sample.id(1))?.taskJSON == job.taskJSON)
        #expect(try await store.detail(Sample.id(1))?.provenanceJSON == #"{"end":1}"#)
        #expect(try await store.auditRows().map(\.kind) == [.intent, .outcome])
        #expect(try await store.redact(Sample.redaction(1)) == 3)
        #expect(try await store.detail(Sample.id(1))?.taskJSON == "null")
    }
}
