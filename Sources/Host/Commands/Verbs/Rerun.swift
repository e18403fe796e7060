import DomeClient
import DomeModel

extension Verb {
    /// `dome rerun`
    static let rerun = Verb(
        words: ["rerun"], summary: "run a job's request once more, and say what has changed since",
        details: [
            "The same tool, task and constraints, as a new job whose output is passed on as 'dome run' does. What has "
                + "changed since (tool, executor, program, policy, machine, dome itself) is told on stderr first.",
            "With --exact nothing runs if anything has changed.",
        ],
        positionals: [PositionalSpec("JOB", help: "the job's id, as 'dome jobs' lists it", completion: .jobs)],
        options: [
            OptionSpec("--exact", help: "refuse if anything has changed"),
            OptionSpec("--detach", short: "-d", help: "print the new job's id and leave it to itself"),
            OptionSpec("--key", value: "KEY", help: "idempotency key: the same key is the same new job"),
        ],
        examples: ["dome rerun job-01k… --exact", "dome diff job-01k… $(dome rerun -d job-01k…)"]
    ) { invocation async throws(CommandFailure) in
        let id = try jobID(invocation.argument(0))
        let key = invocation.value("--key") ?? SubmissionBuilder.freshKey()
        let client = try invocation.client()
        let rerun = try await calling { () async throws(ClientError) in
            try await client.rerun(id, isExact: invocation.has("--exact"), key: key)
        }
        for drift in rerun.drifts { Output.stderr.writeNow("dome: changed since: " + Rendered.line(drift) + "\n") }
        if invocation.has("--detach") {
            try invocation.print(
                json: [
                    "job_id": .string(rerun.jobID), "run_id": .string(rerun.runID),
                    "drifts": .array(rerun.drifts.map { .string($0) }),
                ], text: rerun.jobID + "\n")
            return ExitStatus.success
        }
        let follower = JobFollower(client, jobID: rerun.jobID, follow: true, sinceSeq: 0)
        let relay = EventRelay(jobID: rerun.jobID, isJSON: invocation.isJSON)
        while let events = try await calling({ () async throws(ClientError) in try await follower.next() }) {
            try relay.show(events)
        }
        try relay.tellEnding()
        guard let ending = relay.ending else {
            throw CommandFailure("the events of \(rerun.jobID) ended without its end", status: ExitStatus.protocolFault)
        }
        return ending.exitStatus
    }
}
