internal import DomeAsync
internal import DomeClient
internal import DomeModel

extension MetaTool {
    /// `dome_job_status`
    static let jobStatus = MetaTool(
        name: "dome_job_status", title: "State of a job, or the latest jobs",
        description:
            "Tells at once how a job is: state, exit status, times, artifacts. Without job_id it lists the latest "
            + "jobs, for when an id was lost.",
        properties: [
            "job_id": Schema.jobID,
            "limit": Schema.number("Without job_id: how many jobs to list, 1 to 50 (default 10)."),
            "offset": Schema.number("With job_id: how many of its artifacts to pass over (default 0)."),
        ],
        outputSchema: Schema.answer(["jobs": ["type": "array", "items": jobSchema]]),
        annotations: .looking
    ) { call, arguments throws(ToolFailure) in
        var document = JSONObject.success()
        let limit = try arguments.number("limit", 1...50, default: 10)
        let offset = try arguments.number("offset", 0...1_000_000_000, default: 0)
        if try arguments.optionalText("job_id") != nil {
            let id = try arguments.jobID()
            let job = try await asking(nil) { () async throws(ClientError) in try await call.bridge.client.job(id) }
            var object = summary(job.summary)
            let files = ArtifactList(
                job.artifacts, of: id, from: Int(offset), limitBytes: ResultBudget.bytes(call) / 2)
            object["artifacts"] = files.json
            document["jobs"] = [.object(object)]
            let next =
                job.summary.state?.isTerminal == false
                ? "It runs: dome_follow waits for its end." : "dome_follow with since_seq 0 has its output."
            document["hint"] = .string(files.hint.isEmpty ? next : next + " " + files.hint)
        } else {
            let page = try await asking(nil) { () async throws(ClientError) in
                try await call.bridge.client.jobs(JobFilter(), pageSize: UInt32(limit), pageToken: "")
            }
            document["jobs"] = .array(page.jobs.map { .object(summary($0)) })
        }
        return ToolAnswer(document)
    }

    /// `dome_cancel`
    static let cancel = MetaTool(
        name: "dome_cancel", title: "Cancel a job",
        description: "Ends a job and everything it started. Its output until then stays readable by dome_follow.",
        properties: ["job_id": Schema.jobID], required: ["job_id"],
        outputSchema: Schema.answer(["job_id": ["type": "string"], "state": ["type": "string"]]),
        annotations: ToolAnnotations(isDestructive: true, isIdempotent: true)
    ) { call, arguments throws(ToolFailure) in
        let id = try arguments.jobID()
        let state = try await asking(nil) { () async throws(ClientError) in
            do throws(ClientError) {
                return try await call.bridge.client.cancel(id, idempotencyKey: "mcp-cancel-" + id)
            } catch {
                // It has ended meanwhile: what was wanted.
                guard case .refused(let refusal) = error, refusal.code == .invalidTransition else { throw error }
                return try await call.bridge.client.job(id).summary.state
            }
        }
        var document = JSONObject.success(
            hint: state?.isTerminal == false
                ? "It is being ended: dome_follow waits for that." : "It is over; dome_follow has its output.")
        document["job_id"] = .string(id)
        document["state"] = .string(state?.name ?? "unknown")
        return ToolAnswer(document)
    }

    private static let jobSchema: JSONValue = [
        "type": "object",
        "properties": [
            "job_id": ["type": "string"], "tool_id": ["type": "string"], "state": ["type": "string"],
            "exit_code": ["type": "integer"], "message": ["type": "string"], "created_at": ["type": "string"],
            "ended_at": ["type": "string"], "last_seq": ["type": "integer"],
            "artifacts": ["type": "array", "items": Schema.artifact],
        ],
        "required": ["job_id", "tool_id", "state", "message", "created_at", "ended_at", "last_seq"],
        "additionalProperties": false,
    ]

    private static func summary(_ job: JobSummary) -> JSONObject {
        var object: JSONObject = [
            "job_id": .string(job.jobID), "tool_id": .string(job.toolID),
            "state": .string(job.state?.name ?? "unknown"),
            "message": .string(String(job.message.prefix(300))), "created_at": .string(job.createdAt),
            "ended_at": .string(job.endedAt),
            "last_seq": .count(job.lastSeq),
        ]
        if let exitCode = job.exitCode { object["exit_code"] = .integer(Int64(exitCode)) }
        return object
    }
}
