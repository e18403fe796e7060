internal import DomeAsync
internal import DomeClient
internal import DomeModel

/// What a call of a tool brings. Clients show their model the document alone, and not even whether it is an error:
/// so it says all there is to say.
struct ToolAnswer: Sendable {
    /// `structuredContent`; nil where the content is an image, which such clients would not show beside a document.
    var document: JSONObject?
    var content: [JSONValue] = []
    var isError = false
    /// The job that goes on, for a client that waits for tasks by itself; there is no result yet.
    var task: JSONObject?

    init(task: JSONObject) { self.task = task }

    init(_ document: JSONObject) {
        self.document = document
        isError = document["ok"]?.boolValue == false
    }

    init(content: [JSONValue]) { self.content = content }

    init(_ failure: ToolFailure) {
        self.init([
            "ok": false, "code": .string(failure.code), "message": .string(failure.message),
            "hint": .string(failure.hint),
        ])
    }

    func result(for call: Call) -> JSONObject {
        if let task { return task }
        var result = JSONObject()
        guard let document else {
            result["content"] = .array(content)
            return result
        }
        let text: JSONValue = ["type": "text", "text": .string(JSONValue.object(document).compact)]
        if call.version.hasStructuredContent { result["structuredContent"] = .object(document) }
        // The text is for clients that do not know the document; codex, where it shows both, would cut both.
        result["content"] = .array(
            call.version.hasStructuredContent && call.client.isCodex ? content : [text] + content)
        if isError { result["isError"] = true }
        return result
    }
}

/// Why a call of a tool brought nothing, and what to do about it. Never without the second.
struct ToolFailure: Error, Sendable, Equatable {
    /// The contract's name for it, or E_UNAVAILABLE, E_UNSUPPORTED, E_JOB_FAILED, E_JOB_CANCELED.
    var code: String
    var message: String
    var hint: String

    /// What the daemon says may quote what it was sent.
    private static let messageLimit = 2_000

    static func invalid(_ message: String, hint: String) -> ToolFailure {
        ToolFailure(code: "E_INVALID_REQUEST", message: message, hint: hint)
    }

    init(code: String, message: String, hint: String) {
        (self.code, self.message, self.hint) = (code, message, hint)
    }

    /// Of a call about `toolID` or a job.
    init(_ error: ClientError, toolID: String? = nil) {
        message = String(error.message.prefix(Self.messageLimit))
        switch error {
        case .refused(let refusal):
            code = refusal.code.name
            hint = Self.hint(refusal, toolID)
        case .unavailable, .connectionLost:
            code = "E_UNAVAILABLE"
            hint =
                "Call once more in some seconds. Jobs that were started run on, and dome_follow still has their output. "
                + "If it stays so, ask the user to run: dome doctor"
        case .timedOut:
            code = "E_TIMEOUT"
            hint = "Call once more; a job may have been started: dome_job_status without job_id lists the latest."
        case .unsupported:
            code = "E_UNSUPPORTED"
            hint = "The running daemon is another version than this client. Ask the user to restart domed."
        case .protocolBroken:
            code = "E_INTERNAL"
            hint = "Ask the user to run: dome doctor (client and daemon may be different versions)"
        }
    }

    private static func hint(_ error: DomeError, _ toolID: String?) -> String {
        switch error.code {
        case .notFound:
            return toolID == nil
                ? "dome_job_status without job_id lists the latest jobs."
                : "dome_search_tools finds tools; an id looks like text.search."
        case .invalidRequest:
            guard let toolID else { return "Correct what the message names and call again." }
            return
                "Correct the fields that the message names; dome_describe_tool with tool_id \(toolID) shows the schema."
        case .policyDenied:
            return "Ask for less, or for another folder, in grants. What may be granted is the user's decision "
                + "(policy.json); 'dome sandbox explain \(toolID ?? "TOOL")' shows it."
        case .resourceExhausted: return "The machine is busy or full: call again later."
        case .timeout, .lockConflict: return "Call once more."
        case .invalidTransition: return "dome_job_status shows the state that the job is in."
        case .idempotencyKeyReused: return "Call once more; each call gets a key of its own."
        case .internal: return "Ask the user to run: dome doctor"
        }
    }
}
