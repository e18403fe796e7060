import DomeAsync
import DomeClient
import DomeCrypto
import DomeModel

extension Verb {
    /// `dome provenance show`
    static let provenanceShow = Verb(
        words: ["provenance", "show"],
        summary: "show where a job's result came from: input, tool, code, machine, output",
        positionals: [PositionalSpec("JOB", help: "the job's id, as 'dome jobs' lists it", completion: .jobs)],
        examples: ["dome provenance show job-01k…"]
    ) { invocation async throws(CommandFailure) in
        let id = try jobID(invocation.argument(0))
        let client = try invocation.client()
        let job = try await calling { () async throws(ClientError) in try await client.job(id) }
        let document = JSONValue.embedded(job.provenanceJSON)
        let members = document.objectValue?.members.map { ($0.key, $0.value) } ?? []
        try invocation.print(json: document, text: Outline.text(members, indentation: 0))
        return ExitStatus.success
    }

    /// `dome provenance export`
    static let provenanceExport = Verb(
        words: ["provenance", "export"], summary: "print a job's provenance, signed, for other programs",
        details: [
            "An in-toto Statement v1 with a SLSA provenance v1 predicate in a DSSE envelope, signed with the daemon's "
                + "Ed25519 key ('dome keys show --pem')."
        ],
        positionals: [PositionalSpec("JOB", help: "the job's id, as 'dome jobs' lists it", completion: .jobs)],
        examples: ["dome provenance export job-01k… >job.intoto.json"]
    ) { invocation async throws(CommandFailure) in
        let id = try jobID(invocation.argument(0))
        let client = try invocation.client()
        let envelope = try await calling { () async throws(ClientError) in try await client.exportProvenance(id) }
        try Output.stdout.write(envelope)
        return ExitStatus.success
    }

    /// `dome provenance verify`
    static let provenanceVerify = Verb(
        words: ["provenance", "verify"], summary: "check a job's provenance, or one that was exported",
        details: [
            "Of an exported one (FILE) the signature; no daemon is asked. Of a job (JOB) also that the audit log has the "
                + "event that vouches for what is stored, as its proof shows."
        ],
        positionals: [
            PositionalSpec(
                "FILE|JOB", help: "the envelope, - for stdin; or the id of a job that has ended", completion: .files)
        ],
        options: [.trustedKey],
        examples: [
            "dome provenance verify job-01k…", "dome provenance export job-01k… | dome provenance verify -",
        ]
    ) { invocation async throws(CommandFailure) in
        let place = invocation.argument(0)
        // A file of that name can still be named, as ./job-….
        guard let job = JobID(place) ?? JobID.ofRun(place) else {
            let statement = try SignedStatement(try textFile(place), by: try trustedKeys(invocation))
            try invocation.printVerified(statement, event: nil)
            return ExitStatus.success
        }
        let client = try invocation.client()
        let envelope = try await calling { () async throws(ClientError) in try await client.exportProvenance(job.text) }
        let verifiers = try trustedKeys(invocation)
        let statement = try SignedStatement(envelope, by: verifiers)
        let event = try await client.eventVouching(for: statement, of: job.text, verifiers)
        try invocation.printVerified(statement, event: event)
        return ExitStatus.success
    }
}

extension DaemonClient {
    /// The event with the digest of the job's provenance, proven to be in the log. Throws what does not hold.
    fileprivate func eventVouching(
        for statement: SignedStatement, of job: String, _ verifiers: [NoteVerifier]
    ) async throws(CommandFailure) -> ProvenEvent {
        var filter = AuditFilter()
        filter.jobID = job
        let source = AuditSource(client: self, pattern: nil)
        // The last one: when a task is redacted, the log vouches for what is left.
        var last: (seq: UInt64, digest: String)?
        try await source.each(filter, limit: .max) { events throws(CommandFailure) in
            for event in events {
                let details = JSONValue.embedded(event.leafJSON)["details"]
                if let digest = details?["provenance_sha256"]?.stringValue { last = (event.seq, digest) }
            }
        }
        guard let last else {
            throw CommandFailure(
                "the audit log has no event that vouches for the provenance of \(job); 'dome audit verify' tells more",
                status: ExitStatus.failure)
        }
        let actual = try local { () throws(DomeError) in try SHA256.digest(statement.provenance ?? []).hex }
        guard actual == last.digest else {
            throw CommandFailure(
                "the provenance of \(job) is not the one that event \(last.seq) recorded: its SHA-256 is \(actual), and was "
                    + "\(last.digest); 'dome audit verify' tells more", status: ExitStatus.failure)
        }
        let seq = last.seq
        let proof = try await calling { () async throws(ClientError) in try await self.auditProof(seq) }
        let event = try ProvenEvent(proof, by: verifiers)
        guard JSONValue.embedded(event.leaf)["details"]?["provenance_sha256"]?.stringValue == actual,
            JSONValue.embedded(event.leaf)["job_id"]?.stringValue == job
        else {
            throw CommandFailure(
                "the event that the log proves is not the one that it shows for \(job)", status: ExitStatus.failure)
        }
        return event
    }
}

extension Invocation {
    @Core
    fileprivate func printVerified(_ statement: SignedStatement, event: ProvenEvent?) throws(CommandFailure) {
        var fields = Fields()
        fields.add("holds", "signed by \(statement.signer)")
        fields.add("recorded", event?.place ?? "")
        fields.add("job", statement.job)
        for product in statement.products { fields.add("product", product) }
        var json: JSONObject = ["ok": true, "key": .string(statement.signer.description)]
        if let event { json["event"] = .count(event.seq) }
        json["statement"] = statement.document
        try print(json: .object(json), text: fields.text(style: style))
    }
}
