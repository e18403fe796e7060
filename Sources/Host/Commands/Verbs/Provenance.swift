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
        words: ["provenance", "verify"], summary: "check an exported provenance's signature; asks no daemon",
        positionals: [PositionalSpec("FILE", help: "the envelope; - is stdin", completion: .files)],
        options: [
            OptionSpec(
                "--key", value: "KEY|@FILE",
                help: "the public key, or a file with keys (default: those of this machine's daemon)",
                isRepeatable: true, completion: .files)
        ],
        examples: ["dome provenance export job-01k… | dome provenance verify -"]
    ) { invocation throws(CommandFailure) in
        let text = try textFile(invocation.argument(0))
        let verifiers = try trustedKeys(invocation)
        let (signer, statement) = try local { () throws(DomeError) in
            let envelope = try DSSEEnvelope(parsing: text)
            guard let signer = try envelope.verified(by: verifiers) else {
                throw DomeError(
                    .invalidRequest, "the envelope is not signed by a key that is trusted here, or was changed since")
            }
            guard envelope.payloadType == DSSEEnvelope.inTotoType else {
                throw DomeError(.invalidRequest, "the envelope holds no in-toto statement but \(envelope.payloadType)")
            }
            let payload = String(decoding: envelope.payload, as: UTF8.self)
            return (signer, try JSONParser.parse(payload, what: "the statement"))
        }
        var fields = Fields()
        fields.add("holds", "signed by \(signer)")
        let details = statement["predicate"]?["runDetails"]?["metadata"]
        fields.add("job", details?["invocationId"]?.stringValue ?? "")
        for subject in statement["subject"]?.arrayValue ?? [] {
            fields.add(
                "product", "\(subject["digest"]?["sha256"]?.stringValue ?? "")  \(subject["name"]?.stringValue ?? "")")
        }
        try invocation.print(
            json: ["ok": true, "key": .string(signer.description), "statement": statement],
            text: fields.text(style: invocation.style))
        return ExitStatus.success
    }
}
