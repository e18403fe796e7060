internal import DomeAsync
internal import DomeClient
internal import DomeModel

extension MetaTool {
    /// `dome_describe_tool`
    static let describeTool = MetaTool(
        name: "dome_describe_tool", title: "Describe a tool of dome",
        description: "Shows all there is to know of a tool before it is run by dome_run: what it does, the JSON Schema "
            + "of its task, what it may touch (permissions), what it changes (side effects), what it prints.",
        properties: ["tool_id": Schema.text("The tool's id, as dome_search_tools gives it, e.g. text.search.")],
        required: ["tool_id"],
        outputSchema: Schema.answer([
            "tool_id": ["type": "string"], "version": ["type": "string"], "title": ["type": "string"],
            "description": ["type": "string"], "kind": ["type": "string"],
            "permissions": Schema.texts("What it may be given; fs.read:* means: name folders in grants."),
            "side_effects": Schema.texts("What it changes outside of its sandbox; empty: nothing."),
            "input_schema": ["type": "object", "description": "The JSON Schema of dome_run's task."],
            "output_schema": ["type": "object", "description": "The JSON Schema of one line of its stdout."],
            "unavailable": Schema.text("Why this machine cannot run it; absent if it can."),
        ]),
        annotations: .looking
    ) { call, arguments throws(ToolFailure) in
        let id = try arguments.text("tool_id", hint: "dome_search_tools finds tools and their ids.")
        let tool = try await suggesting(call, id) { () async throws(ToolFailure) in
            try await asking(id) { () async throws(ClientError) in try await call.bridge.client.toolDocuments(id) }
        }
        let facts = ToolFacts(tool)
        var document = JSONObject.success(hint: "Run it: dome_run with tool_id \"\(tool.summary.toolID)\" and a task.")
        document["tool_id"] = .string(tool.summary.toolID)
        document["version"] = .string(tool.summary.version)
        document["title"] = .string(tool.summary.title)
        document["description"] = .string(tool.description)
        document["kind"] = .string(tool.summary.kind)
        document["permissions"] = .array(facts.permissions.map { .string($0) })
        document["side_effects"] = .array(tool.sideEffects.map { .string($0) })
        document["input_schema"] = .object(facts.inputSchema)
        document["output_schema"] = .object(facts.outputSchema)
        if !tool.summary.unavailable.isEmpty { document["unavailable"] = .string(tool.summary.unavailable) }
        LargeSchemas.fit(&document, tool, limitBytes: ResultBudget.bytes(call))
        return ToolAnswer(document)
    }
}

/// What a tool's documents say, read once.
struct ToolFacts: Sendable {
    var inputSchema: JSONObject
    var outputSchema: JSONObject
    /// Those it has and those it may be granted.
    var permissions: [String]
    /// Whether it reaches the network or others' sockets without a grant.
    var reachesOthers: Bool
    var annotations: ToolAnnotations

    init(_ tool: ToolDetail) {
        inputSchema = Self.object(tool.inputSchemaJSON, tool.summary.toolID)
        outputSchema = Self.object(tool.outputSchemaJSON, tool.summary.toolID)
        let manifest = Self.object(tool.manifestJSON, tool.summary.toolID)
        let optional = manifest["optional_permissions"]?.arrayValue?.compactMap(\.stringValue) ?? []
        permissions = tool.permissions + optional
        reachesOthers = tool.permissions.contains { $0 == "net.full" || $0 == "unix" }
        let mayWrite = permissions.contains { $0.hasPrefix("fs.write:") }
        annotations = ToolAnnotations()
        annotations.isOpenWorld = permissions.contains { $0 == "net.full" || $0 == "unix" }
        // What the manifest says holds where what it may touch does not contradict it.
        let said = manifest["annotations"]
        let mayChange = mayWrite || !tool.sideEffects.isEmpty
        annotations.isReadOnly = !mayChange && (said?["read_only"]?.boolValue ?? !annotations.isOpenWorld)
        annotations.isDestructive = !annotations.isReadOnly && (said?["destructive"]?.boolValue ?? true)
        annotations.isIdempotent = said?["idempotent"]?.boolValue ?? false
    }

    /// An empty object for what is no document: the daemon has checked it, so that is nothing to fail for.
    private static func object(_ text: String, _ what: String) -> JSONObject {
        (try? JSONParser.parse(text, what: what))?.objectValue ?? JSONObject()
    }
}
