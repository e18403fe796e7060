internal import DomeAsync
internal import DomeClient
internal import DomeModel

extension MetaTool {
    /// `dome_follow`
    static let follow = MetaTool(
        name: "dome_follow", title: "Follow a job's output",
        description:
            "Returns what a job has printed since since_seq, and waits up to 25 seconds for more or for its end. "
            + "Call it again with the next_seq of its answer until state is succeeded, failed or canceled. Nothing is lost "
            + "or repeated between calls. With since_seq 0 it reads the output from its beginning.",
        properties: [
            "job_id": Schema.jobID,
            "since_seq": Schema.number("The next_seq of the answer before; 0 (default) for the beginning."),
            "wait_s": Schema.waitSeconds,
            "max_bytes": Schema.number(
                "How much output to return: 1000 to 200000 bytes; the default suits the client."),
        ],
        required: ["job_id"], outputSchema: Schema.job, annotations: .looking
    ) { call, arguments throws(ToolFailure) in
        let id = try arguments.jobID()
        let since = try arguments.number("since_seq", 0...Int64.max, default: 0)
        let wait = try arguments.seconds("wait_s", limit: JobRequest.longestWait, default: JobRequest.longestWait)
        let bytes = try arguments.number("max_bytes", 0...200_000, default: 0)
        let limit = bytes == 0 ? ResultBudget.bytes(call) : max(1_000, Int(bytes))
        let watch = JobWatch(
            call, jobID: id, sinceSeq: UInt64(since),
            output: OutputCapture(limit: limit, excess: .stop, sinceSeq: UInt64(since)))
        return try await asking(nil) { () async throws(ClientError) in
            try await watch.wait(seconds: wait)
            return try await JobReport(call, id, watch).answer()
        }
    }
}

extension Arguments {
    /// A job's id; that of its run will do.
    func jobID() throws(ToolFailure) -> String {
        let hint = "dome_job_status without job_id lists the latest jobs."
        let given = try text("job_id", hint: hint)
        guard let id = JobID(given) ?? JobID.ofRun(given) else {
            throw .invalid("\"\(given.prefix(64))\" is no job id; they look like job-01k…", hint: hint)
        }
        return id.text
    }
}
