import DomeClient
import DomeCrypto
import DomeModel
import DomePlatform

extension Verb {
    /// `dome audit verify`
    static let auditVerify = Verb(
        words: ["audit", "verify"], summary: "compute the whole audit log anew and name what does not hold",
        details: [
            "Checks every leaf, the tree over them, every checkpoint and its signature, the newest checkpoint outside of "
                + "the database, and the jobs' tasks and provenance against their leaves. Names the first event that does "
                + "not hold; exits with 1 if there is one.",
            "With --against also that the log begins with what a checkpoint says that was kept elsewhere: another "
                + "machine, a mail, the system's journal.",
        ],
        options: [
            OptionSpec(
                "--against", value: "FILE|-", help: "a checkpoint (signed note) that was kept elsewhere",
                isRepeatable: true, completion: .files)
        ],
        examples: ["dome audit verify", "dome audit verify --against checkpoint.note"]
    ) { invocation async throws(CommandFailure) in
        var notes: [String] = []
        for place in invocation.values("--against") { notes.append(try textFile(place)) }
        let given = notes
        let client = try invocation.client()
        let stream = try await calling { () async throws(ClientError) in try await client.verifyAudit(against: given) }
        var verdict = AuditVerdict()
        while let step = try await calling({ () async throws(ClientError) in try await stream.next() }) {
            verdict = step.last ?? verdict
            if !invocation.isJSON, Output.stderr.isTerminal {
                Output.stderr.writeNow("\r\(verdict.checked) of \(verdict.total)\u{1b}[K")
            }
        }
        if !invocation.isJSON, Output.stderr.isTerminal { Output.stderr.writeNow("\r\u{1b}[K") }
        guard verdict.isDone else {
            throw CommandFailure("the verification ended without a result", status: ExitStatus.protocolFault)
        }
        try invocation.print(json: verdict.json, text: verdict.text(invocation.style))
        return verdict.isGood ? ExitStatus.success : ExitStatus.failure
    }

    /// `dome audit prove`
    static let auditProve = Verb(
        words: ["audit", "prove"], summary: "print a proof that an event is in the log, to be checked anywhere",
        details: [
            "The proof (C2SP tlog-proof) holds the event, its place in the tree and a signed checkpoint. 'dome audit "
                + "verify-proof' checks it with nothing but the public key ('dome keys show')."
        ],
        positionals: [PositionalSpec("EVENT", help: "the event's number, as 'dome audit' lists it")],
        examples: ["dome audit prove 120 >event-120.tlog-proof"]
    ) { invocation async throws(CommandFailure) in
        let seq = try invocation.eventNumber(0)
        let client = try invocation.client()
        let proof = try await calling { () async throws(ClientError) in try await client.auditProof(seq) }
        try invocation.print(json: ["seq": .count(seq), "proof": .string(proof)], text: proof)
        return ExitStatus.success
    }

    /// `dome audit verify-proof`
    static let auditVerifyProof = Verb(
        words: ["audit", "verify-proof"], summary: "check a proof that 'dome audit prove' printed; asks no daemon",
        positionals: [PositionalSpec("FILE", help: "the proof; - is stdin", completion: .files)],
        options: [.trustedKey],
        examples: ["dome audit verify-proof event-120.tlog-proof --key dome/0123456789abcdef+…"]
    ) { invocation throws(CommandFailure) in
        let text = try textFile(invocation.argument(0))
        let proven = try ProvenEvent(text, by: try trustedKeys(invocation))
        var fields = Fields()
        fields.add("holds", proven.place)
        fields.add("event", proven.leaf)
        try invocation.print(
            json: [
                "ok": true, "seq": .count(proven.seq), "size": .count(proven.checkpoint.size),
                "origin": .string(proven.checkpoint.origin), "leaf_json": .string(proven.leaf),
            ], text: fields.text(style: invocation.style))
        return ExitStatus.success
    }

    /// `dome audit redact`
    static let auditRedact = Verb(
        words: ["audit", "redact"], summary: "erase what an event is about; the event and every proof stay",
        details: [
            "For an intent that is the job's task, for a denial the task that was refused. Output and artifacts go with "
                + "'dome gc'. That it was redacted, by whom and why, is an event itself."
        ],
        positionals: [PositionalSpec("EVENT", help: "the event's number, as 'dome audit' lists it")],
        options: [OptionSpec("--why", value: "TEXT", help: "why; recorded. Required")],
        examples: ["dome audit redact 120 --why 'a password was in the task'"]
    ) { invocation async throws(CommandFailure) in
        let seq = try invocation.eventNumber(0)
        guard let why = invocation.value("--why"), !why.isEmpty else {
            throw .usage("'dome audit redact' needs --why TEXT: it is recorded in the log")
        }
        let client = try invocation.client()
        let event = try await calling { () async throws(ClientError) in try await client.redactAudit(seq, why: why) }
        try invocation.print(
            json: ["redacted": .count(seq), "seq": .count(event)],
            text: "erased what event \(seq) is about; event \(event) says so\n")
        return ExitStatus.success
    }
}

extension AuditVerdict {
    fileprivate var json: JSONValue {
        [
            "ok": .bool(isGood), "checked": .count(checked), "total": .count(total),
            "checkpoints_checked": .count(checkpointsChecked), "root": .string(root), "checkpoint": .string(checkpoint),
            "findings": .array(
                findings.map {
                    ["seq": .count($0.seq), "what": .string($0.what), "message": .string($0.message)]
                }),
        ]
    }

    fileprivate func text(_ style: Style) -> String {
        guard !isGood else {
            let counts = Rendered.count(total, "event") + ", " + Rendered.count(checkpointsChecked, "checkpoint")
            return style.green("all holds") + ": \(counts), root \(root)\n"
        }
        var output =
            style.red("does not hold") + ": " + Rendered.count(total, "event") + ", "
            + Rendered.count(findings.count, "finding") + "\n"
        for finding in findings { output += "  " + Rendered.line(finding.message) + "\n" }
        return output
    }
}
