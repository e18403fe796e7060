internal import DomeAsync
internal import DomeClient
internal import DomeModel

/// A tool of the daemon that is listed by itself, so that a model sees its parameters without asking.
struct DirectTool: Sendable {
    let name: String
    let toolID: String
    private let facts: ToolFacts
    let json: JSONValue
    /// The parameters that are dome's and not the tool's, by what they are called here.
    private let own: OwnParameters

    /// `name` is the one that the client shall call it by.
    init(_ tool: ToolDetail, name: String) {
        let facts = ToolFacts(tool)
        self.name = name
        toolID = tool.summary.toolID
        self.facts = facts
        var properties = SchemaInWords.properties(facts.inputSchema)
        own = OwnParameters(taken: properties.keys)
        for (parameter, schema) in own.schemas { properties[parameter] = schema }
        var input: JSONObject = ["type": "object", "properties": .object(properties)]
        input["required"] = facts.inputSchema["required"]
        input["additionalProperties"] = facts.inputSchema["additionalProperties"]
        input["$defs"] = facts.inputSchema["$defs"]
        json = [
            "name": .string(name), "title": .string(tool.summary.title),
            "description": .string(Self.description(tool, facts, own)), "inputSchema": .object(input),
            "outputSchema": Schema.job, "annotations": facts.annotations.json(title: tool.summary.title),
        ]
    }

    /// For a model and for a search by words: the id is split into its words.
    private static func description(_ tool: ToolDetail, _ facts: ToolFacts, _ own: OwnParameters) -> String {
        let words = ToolSearch.words(tool.summary.toolID).joined(separator: " ")
        var parts = ["\(tool.summary.title) (\(words)).", tool.description]
        parts.append(SchemaInWords.alternatives(facts.inputSchema))
        parts.append("Runs as a sandboxed job; what it may touch is named in \(own.grants).")
        if !facts.annotations.isReadOnly, !tool.sideEffects.isEmpty {
            parts.append("Side effects: " + tool.sideEffects.joined(separator: "; ") + ".")
        }
        return parts.filter { !$0.isEmpty }.joined(separator: " ")
    }

    @Core
    func answer(_ call: Call, _ arguments: JSONObject) async -> ToolAnswer {
        do throws(ToolFailure) {
            var task = arguments
            for (parameter, _) in own.schemas { task[parameter] = nil }
            let given = Arguments(unchecked: arguments)
            let request = JobRequest(
                toolID: toolID, task: .object(task), grants: try given.texts(own.grants),
                waitSeconds: try given.optionalSeconds(own.wait, limit: JobRequest.longestWait),
                timeoutSeconds: try given.seconds(own.timeout, limit: 1e9, default: 0), outputBytes: nil,
                usualGrants: call.bridge.usualGrants(facts))
            return try await request.run(call)
        } catch {
            return ToolAnswer(error)
        }
    }
}

/// What dome itself wants to know of a call. Where the tool has a parameter of that name, ours has a prefix.
struct OwnParameters: Sendable {
    let grants: String
    let wait: String
    let timeout: String

    init(taken: [String]) {
        func free(_ name: String) -> String { taken.contains(name) ? "dome_" + name : name }
        (grants, wait, timeout) = (free("grants"), free("wait_s"), free("timeout_s"))
    }

    var schemas: [(String, JSONValue)] {
        [(grants, Schema.grants), (wait, Schema.waitSeconds), (timeout, Schema.timeoutSeconds)]
    }
}
