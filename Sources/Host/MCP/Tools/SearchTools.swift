internal import DomeAsync
internal import DomeClient
internal import DomeModel

extension MetaTool {
    /// `dome_search_tools`
    static let searchTools = MetaTool(
        name: "dome_search_tools", title: "Search dome's tools",
        description: "Finds tools that dome can run as sandboxed jobs, by words in their names and descriptions: "
            + "search files, run a shell command or script, list git commits, query a database, and whatever the user "
            + "has installed. Run what it finds with dome_run. An empty query lists all.",
        properties: [
            "query": Schema.text("Words to look for, e.g. \"search text\"; empty lists all tools."),
            "limit": Schema.number("How many to return: 1 to 100 (default 20)."),
        ],
        outputSchema: Schema.answer([
            "total": Schema.number("How many tools fit."),
            "tools": [
                "type": "array",
                "items": [
                    "type": "object",
                    "properties": [
                        "tool_id": Schema.text("What dome_run takes as tool_id."), "title": ["type": "string"],
                        "description": ["type": "string"], "kind": ["type": "string"], "version": ["type": "string"],
                        "unavailable": Schema.text("Why this machine cannot run it; absent if it can."),
                        "deprecated": Schema.text("What to use instead; absent if it may be used."),
                    ],
                    "required": ["tool_id", "title", "description", "kind", "version"],
                    "additionalProperties": false,
                ],
            ],
        ]),
        annotations: .looking
    ) { call, arguments throws(ToolFailure) in
        let query = try arguments.optionalText("query") ?? ""
        let limit = try arguments.number("limit", 1...100, default: 20)
        let (found, total) = try await asking(nil) { () async throws(ClientError) in
            try await call.bridge.client.searchTools(query, limit: UInt32(limit))
        }
        var document = JSONObject.success(
            hint: found.isEmpty
                ? "No tool has these words. An empty query lists all; shell.run runs any program."
                : "dome_describe_tool shows what a tool takes; dome_run runs it.")
        document["total"] = .integer(Int64(total))
        document["tools"] = .array(
            found.map { tool in
                var line: JSONObject = [
                    "tool_id": .string(tool.toolID), "title": .string(tool.title),
                    "description": .string(tool.shortDescription), "kind": .string(tool.kind),
                    "version": .string(tool.version),
                ]
                if !tool.unavailable.isEmpty { line["unavailable"] = .string(tool.unavailable) }
                if !tool.deprecated.isEmpty { line["deprecated"] = .string(tool.deprecated) }
                return .object(line)
            })
        return ToolAnswer(document)
    }
}

/// Words of ids.
enum ToolSearch {
    /// Lower case, split where there is no letter and no digit.
    static func words(_ text: String) -> [String] {
        text.prefix(4_096).lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }
}

/// Does something with the tool `id`; where there is none, the failure names the one that may have been meant.
@Core
func suggesting<Value: Sendable>(
    _ call: Call, _ id: String, _ body: @Core () async throws(ToolFailure) -> Value
) async throws(ToolFailure) -> Value {
    do throws(ToolFailure) {
        return try await body()
    } catch {
        guard error.code == "E_NOT_FOUND", let meant = await call.bridge.shelf.id(like: id), meant != id else {
            throw error
        }
        var failure = error
        failure.hint = "Did you mean \(meant)? " + failure.hint
        throw failure
    }
}

/// Calls the daemon, with its error as a failure of the tool.
@Core
func asking<Value: Sendable>(
    _ toolID: String?, _ body: @Core () async throws(ClientError) -> Value
) async throws(ToolFailure) -> Value {
    do throws(ClientError) {
        return try await body()
    } catch {
        throw ToolFailure(error, toolID: toolID)
    }
}
