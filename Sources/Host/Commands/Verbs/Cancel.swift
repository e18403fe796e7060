import DomeClient
import DomeModel

extension Verb {
    /// `dome cancel`
    static let cancel = Verb(
        words: ["cancel"], summary: "end a job: SIGTERM, and after its grace SIGKILL",
        details: ["Returns when the request is recorded; 'dome logs JOB -f' waits for the end."],
        positionals: [PositionalSpec("JOB", help: "the job's id, as 'dome jobs' lists it", completion: .jobs)],
        examples: ["dome cancel job-01k…"]
    ) { invocation async throws(CommandFailure) in
        let id = try jobID(invocation.argument(0))
        let client = try invocation.client()
        let state = try await calling { () async throws(ClientError) in
            try await client.cancel(id, idempotencyKey: "cancel-" + id)
        }
        let name = state?.name ?? "unknown"
        try invocation.print(
            json: ["job_id": .string(id), "state": .string(name)],
            text: state?.isTerminal == true ? "\(id) is \(name)\n" : "\(id) is asked to end\n")
        return ExitStatus.success
    }
}
