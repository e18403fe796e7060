import DomeClient
import DomeModel

extension Verb {
    /// `dome sandbox explain`
    static let sandboxExplain = Verb(
        words: ["sandbox", "explain"], summary: "tell what a job of a tool could do, before anything runs",
        details: [
            "Says what a job could read and write, which network, environment and limits it would have, which layers "
                + "protect the machine from it and what each stops, what may be added by --grant, and what the policy "
                + "refuses, with the line that would allow it. The daemon finds it out by the steps that a real job "
                + "takes; nothing is started and nothing is recorded.",
            "Exits with 77 if such a job would be refused.",
        ],
        positionals: [PositionalSpec("TOOL", help: "the tool's id, as 'dome tools' lists it", completion: .tools)],
        options: [
            .grant, OptionSpec("--timeout", value: "DURATION", help: "as for 'dome run', e.g. 90s or 5m"),
        ],
        examples: [
            "dome sandbox explain shell.run", "dome sandbox explain text.search --grant fs.read:.",
            "dome sandbox explain shell.run -g net.full -o json",
        ]
    ) { invocation async throws(CommandFailure) in
        let constraints = try SubmissionBuilder(invocation).constraints()
        let client = try invocation.client()
        let answer = try await calling { () async throws(ClientError) in
            try await client.explainSandbox(invocation.argument(0), constraintsJSON: constraints)
        }
        let document = JSONValue.embedded(answer.explanationJSON)
        try invocation.print(
            json: document,
            text: SandboxText(document, style: invocation.style, width: Output.stdout.width).text)
        return answer.isAdmissible ? ExitStatus.success : ExitStatus.denied
    }
}
