import DomeClient
import DomeModel

extension Verb {
    /// `dome tools`
    static let tools = Verb(
        words: ["tools"], summary: "list the tools that can be run",
        examples: ["dome tools", "dome tools -o json"]
    ) { invocation async throws(CommandFailure) in
        let client = try invocation.client()
        let tools = try await calling { () async throws(ClientError) in try await client.tools() }
        try invocation.print(
            json: .array(tools.map(\.json)),
            text: {
                if tools.isEmpty { return "no tools; 'dome doctor' says where they are looked for\n" }
                var table = Table(["TOOL", "VERSION", "KIND", "DESCRIPTION"])
                for tool in tools { table.add([tool.toolID, tool.version, tool.kind, tool.line]) }
                return table.text(width: Output.stdout.width, style: invocation.style)
            }())
        return ExitStatus.success
    }
}

extension ToolSummary {
    /// What it does, or what keeps it from doing it.
    fileprivate var line: String { unavailable.isEmpty ? shortDescription : "unavailable: it " + unavailable }
}
