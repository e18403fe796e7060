import DomeClient
import DomeModel

extension Verb {
    /// `dome logs`
    static let logs = Verb(
        words: ["logs"], summary: "print a job's output, or follow it to its end",
        details: [
            "Prints the job's stdout to stdout and its stderr to stderr, byte for byte. With -f it goes on until the "
                + "job ends, across restarts of the daemon, without a gap or a repeat.",
            "With -o json each event is one line: {\"seq\",\"event_id\",\"ts\",\"job_id\",\"event_type\",\"payload\"}.",
        ],
        positionals: [PositionalSpec("JOB", help: "the job's id, as 'dome jobs' lists it", completion: .jobs)],
        options: [
            OptionSpec("--follow", short: "-f", help: "go on until the job ends"),
            OptionSpec("--since-seq", value: "N", help: "only events after the one with this number"),
        ],
        examples: ["dome logs job-01k… -f", "dome logs job-01k… --since-seq 120 -o json"]
    ) { invocation async throws(CommandFailure) in
        let id = try jobID(invocation.argument(0))
        var since: UInt64 = 0
        if let text = invocation.value("--since-seq") {
            guard let number = UInt64(text) else { throw .usage("--since-seq must be a whole number, not '\(text)'") }
            since = number
        }
        let client = try invocation.client()
        let follower = JobFollower(client, jobID: id, follow: invocation.has("--follow"), sinceSeq: since)
        let relay = EventRelay(jobID: id, isJSON: invocation.isJSON)
        while let events = try await calling({ () async throws(ClientError) in try await follower.next() }) {
            try relay.show(events)
        }
        relay.close()
        return ExitStatus.success
    }
}
