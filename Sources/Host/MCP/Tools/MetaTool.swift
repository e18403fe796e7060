internal import DomeAsync
internal import DomeModel

/// One of dome's own tools: they are always there, and reach every tool of the daemon, also those that came after
/// the client read the list.
struct MetaTool: Sendable {
    var name: String
    var title: String
    var description: String
    /// The members of the input's schema, in the order in which a model should read them.
    var properties: JSONObject
    var required: [String] = []
    /// Nil for a tool whose result may be an image.
    var outputSchema: JSONValue?
    var annotations: ToolAnnotations
    var run: @Core @Sendable (Call, Arguments) async throws(ToolFailure) -> ToolAnswer

    static let all: [MetaTool] = [
        .searchTools, .describeTool, .run, .follow, .jobStatus, .cancel, .readArtifact,
    ]
    static let table: [String: MetaTool] = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

    @Core
    func answer(_ call: Call, _ arguments: JSONObject) async -> ToolAnswer {
        do throws(ToolFailure) {
            let checked = try Arguments(arguments, known: properties.keys)
            return try await run(call, checked)
        } catch {
            return ToolAnswer(error)
        }
    }

    var json: JSONValue {
        var object: JSONObject = [
            "name": .string(name), "title": .string(title), "description": .string(description),
            "inputSchema": [
                "type": "object", "properties": .object(properties),
                "required": .array(required.map { .string($0) }), "additionalProperties": false,
            ],
        ]
        object["outputSchema"] = outputSchema
        object["annotations"] = annotations.json(title: title)
        return .object(object)
    }
}

/// What a client may believe of a tool before it lets it run. Never better than the truth.
struct ToolAnnotations: Sendable, Equatable {
    var isReadOnly = false
    var isDestructive = false
    var isIdempotent = false
    var isOpenWorld = false

    static let looking = ToolAnnotations(isReadOnly: true, isIdempotent: true)

    func json(title: String) -> JSONValue {
        [
            "title": .string(title), "readOnlyHint": .bool(isReadOnly), "destructiveHint": .bool(isDestructive),
            "idempotentHint": .bool(isIdempotent), "openWorldHint": .bool(isOpenWorld),
        ]
    }
}

/// Parts of schemas that several tools have.
enum Schema {
    static func text(_ description: String) -> JSONValue {
        ["type": "string", "description": .string(description)]
    }
    static func number(_ description: String) -> JSONValue {
        ["type": "integer", "description": .string(description)]
    }
    static func flag(_ description: String) -> JSONValue {
        ["type": "boolean", "description": .string(description)]
    }
    static func texts(_ description: String) -> JSONValue {
        ["type": "array", "items": ["type": "string"], "description": .string(description)]
    }

    static let jobID = text("The job's id, as a call before gave it: job-01k…")
    static let waitSeconds: JSONValue = [
        "type": "number",
        "description":
            "How many seconds to wait for the job's end: 0 to 25 (default 25). It runs on by itself after that.",
    ]
    static let timeoutSeconds: JSONValue = [
        "type": "number", "description": "End the job after so many seconds; by default the tool's own limit holds.",
    ]
    static let grants = texts(
        "What the job may touch: fs.read:/absolute/path, fs.write:/absolute/path, net.loopback, net.full, unix. It sees "
            + "no file of the user's that is not granted. Without grants it may read the folder in which the client started "
            + "dome, where that is known and allowed.")

    /// Members that every answer has.
    private static let common: JSONObject = [
        "ok": flag("Whether it did what was asked."),
        "code": text("Empty, or e.g. E_NOT_FOUND, E_INVALID_REQUEST, E_POLICY_DENIED, E_JOB_FAILED."),
        "message": text("What went wrong, in words."),
        "hint": text("What to do next."),
    ]

    /// The schema of an answer with these members besides the common ones; an error has the common ones alone.
    static func answer(_ members: JSONObject) -> JSONValue {
        var properties = common
        for (name, schema) in members.members { properties[name] = schema }
        return [
            "type": "object", "properties": .object(properties), "required": ["ok", "code", "message", "hint"],
            "additionalProperties": false,
        ]
    }

    static let artifact: JSONValue = [
        "type": "object",
        "properties": [
            "name": text("For dome_read_artifact."), "bytes": ["type": "integer"],
            "sha256": ["type": "string"], "uri": ["type": "string"],
        ],
        "required": ["name", "bytes", "sha256", "uri"], "additionalProperties": false,
    ]

    /// The answer of everything that is about one job.
    static let job = answer([
        "job_id": text("The job's id."),
        "state": ["type": "string", "enum": ["queued", "running", "succeeded", "failed", "canceled", "unknown"]],
        "exit_code": number("Absent while it runs, and if a signal ended it."),
        "stdout": text("What it printed; a long one without its middle."),
        "stderr": text("The same of its errors."),
        "next_seq": number("dome_follow's since_seq for what comes next."),
        "truncated": flag("Whether output is left out; hint says how to get it."),
        "artifacts": [
            "type": "array", "items": artifact, "description": "Files it left in /job/out.",
        ],
    ])
}

extension JSONObject {
    /// An answer that all is well, to be completed.
    static func success(hint: String = "") -> JSONObject {
        ["ok": true, "code": "", "message": "", "hint": .string(hint)]
    }
}
