import DomeAsync
import DomeClient
import DomeModel

extension Verb {
    /// `dome registry accept`
    static let registryAccept = Verb(
        words: ["registry", "accept"], summary: "take a tool that has changed for what it is meant to be",
        details: [
            "What a tool of the registry is (manifest, schemas, files) is recorded when it is first run. One that is "
                + "something else since is quarantined: refused, with every difference. This shows the differences and lets "
                + "the tool run again as it is. What changes while you look is not accepted.",
            "With --show nothing is accepted.",
        ],
        positionals: [
            PositionalSpec("TOOL", help: "the tool's id, or ID@VERSION", isRepeatable: true, completion: .tools)
        ],
        options: [OptionSpec("--show", help: "show the differences only")],
        examples: ["dome registry accept --show text.search", "dome registry accept text.search"]
    ) { invocation async throws(CommandFailure) in
        let client = try invocation.client()
        var tools: [JSONValue] = []
        var text = ""
        // All of them are looked at before any is accepted: an id that no tool has stops the whole.
        var shown: [(id: String, tool: ToolDetail)] = []
        for id in invocation.positionals {
            shown.append((id, try await calling { () async throws(ClientError) in try await client.tool(id) }))
        }
        for (id, tool) in shown {
            let isAccepted = !invocation.has("--show")
            if isAccepted {
                try await calling { () async throws(ClientError) in
                    try await client.acceptTool(id, material: tool.materialSHA256)
                }
            }
            tools.append([
                "tool_id": .string(id), "material_sha256": .string(tool.materialSHA256),
                "differences": .array(tool.differences.map { .string($0) }), "accepted": .bool(isAccepted),
            ])
            text += Rendered.line(id) + (tool.differences.isEmpty ? ": nothing differs\n" : ":\n")
            for difference in tool.differences { text += "  \(Rendered.line(difference))\n" }
            if isAccepted { text += "accepted as it is now\n" }
        }
        try invocation.print(json: .array(tools), text: text)
        return ExitStatus.success
    }
}
