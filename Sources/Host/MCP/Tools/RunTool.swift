internal import DomeAsync
internal import DomeClient
internal import DomeModel

extension MetaTool {
    /// `dome_run`
    static let run = MetaTool(
        name: "dome_run", title: "Run any tool of dome",
        description:
            "Runs a tool as a sandboxed job and returns its output and exit status. Waits up to 25 seconds; a job "
            + "that takes longer runs on, and the answer has its job_id and next_seq for dome_follow. To run a shell "
            + "command: tool_id \"shell.run\", task {\"script\": \"…\"} or {\"argv\": [\"…\"]}. The job sees system programs, "
            + "an empty folder /job, and what grants names; files it leaves in /job/out are kept as artifacts.",
        properties: [
            "tool_id": Schema.text("The tool's id, e.g. shell.run; dome_search_tools finds them."),
            "task": ["type": "object", "description": "What the tool takes; dome_describe_tool shows the schema."],
            "grants": Schema.grants, "wait_s": Schema.waitSeconds, "timeout_s": Schema.timeoutSeconds,
            "max_bytes": Schema.number(
                "How much output to return: 1000 to 200000 bytes; the default suits the client."),
        ],
        required: ["tool_id"],
        outputSchema: Schema.job,
        annotations: ToolAnnotations(isDestructive: true, isOpenWorld: true)
    ) { call, arguments throws(ToolFailure) in
        let id = try arguments.text("tool_id", hint: "dome_search_tools finds tools and their ids.")
        let bytes = try arguments.number("max_bytes", 0...200_000, default: 0)
        let wanted = JobRequest(
            toolID: id, task: try arguments.document("task"), grants: try arguments.texts("grants"),
            waitSeconds: try arguments.optionalSeconds("wait_s", limit: JobRequest.longestWait),
            timeoutSeconds: try arguments.seconds("timeout_s", limit: 1e9, default: 0),
            outputBytes: bytes == 0 ? nil : max(1_000, Int(bytes)))
        return try await suggesting(call, id) { () async throws(ToolFailure) in
            var request = wanted
            if request.grants == nil {
                let tool = try await asking(id) { () async throws(ClientError) in
                    try await call.bridge.client.toolDocuments(id)
                }
                request.usualGrants = call.bridge.usualGrants(ToolFacts(tool))
            }
            return try await request.run(call)
        }
    }
}
