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
    /// A permission with what it means, where that is more than it says.
    private static func explained(_ permission: String) -> String {
        guard permission.hasSuffix("net.full") else { return permission }
        return permission + " (the host's network, with all that listens on its loopback, 127.0.0.1 and ::1)"
    }

    fileprivate func text(style: Style) -> String {
        var fields = Fields()
        fields.add("tool", summary.toolID)
        fields.add("title", summary.title)
        fields.add("version", summary.version)
        fields.add("kind", summary.kind)
        fields.add("executor", executorBackend)
        if !summary.unavailable.isEmpty { fields.add("unavailable", summary.unavailable) }
        if !summary.deprecated.isEmpty { fields.add("deprecated", summary.deprecated) }
        if summary.versions.count > 1 { fields.add("versions", summary.versions.joined(separator: ", ")) }
        let allowed = permissions.map(Self.explained)
        fields.add("permissions", allowed.isEmpty ? "none" : allowed.joined(separator: "\n"))
        fields.add("side effects", sideEffects.isEmpty ? "none" : sideEffects.joined(separator: "\n"))
        fields.add("description", description)
        var output = fields.text(style: style)
        let hasResult = JSONValue.embedded(manifestJSON)["output"]?.stringValue == "result"
        let outputTitle = hasResult ? "the result" : "a line of output"
        for (title, schema) in [("task", inputSchemaJSON), (outputTitle, outputSchemaJSON)] where !schema.isEmpty {
            let document = JSONValue.embedded(schema)
            output += "\n" + style.bold("schema of \(title):") + "\n" + Rendered.lines(document.indented)
        }
        return output
    }
}
