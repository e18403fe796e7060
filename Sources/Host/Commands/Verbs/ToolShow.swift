import DomeClient
import DomeModel

extension Verb {
    /// `dome tool show`
    static let toolShow = Verb(
        words: ["tool", "show"], summary: "explain a tool: what it does, takes and may do",
        positionals: [PositionalSpec("TOOL", help: "the tool's id, as 'dome tools' lists it", completion: .tools)],
        examples: ["dome tool show shell.run"]
    ) { invocation async throws(CommandFailure) in
        let client = try invocation.client()
        let tool = try await calling { () async throws(ClientError) in try await client.tool(invocation.argument(0)) }
        try invocation.print(json: tool.json, text: tool.text(style: invocation.style))
        return ExitStatus.success
    }
}

extension ToolDetail {
    fileprivate func text(style: Style) -> String {
        var fields = Fields()
        fields.add("tool", summary.toolID)
        fields.add("title", summary.title)
        fields.add("version", summary.version)
        fields.add("kind", summary.kind)
        fields.add("executor", executorBackend)
        fields.add("permissions", permissions.isEmpty ? "none" : permissions.joined(separator: "\n"))
        fields.add("side effects", sideEffects.isEmpty ? "none" : sideEffects.joined(separator: "\n"))
        fields.add("description", description)
        var output = fields.text(style: style)
        for (title, schema) in [("task", inputSchemaJSON), ("a line of output", outputSchemaJSON)] where !schema.isEmpty
        {
            let document = JSONValue.embedded(schema)
            output += "\n" + style.bold("schema of \(title):") + "\n" + Rendered.lines(document.indented)
        }
        return output
    }
}
