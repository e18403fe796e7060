import DomeClient
import DomeModel

extension Verb {
    /// `dome gc`
    static let gc = Verb(
        words: ["gc"], summary: "remove finished jobs by age and size",
        details: [
            "Without options the limits of the configuration apply, as they do every hour anyway. "
                + "Running jobs and audit records are never removed."
        ],
        options: [
            OptionSpec("--older-than", value: "DURATION", help: "jobs that ended longer ago than this, e.g. 7d"),
            OptionSpec("--max-size", value: "SIZE", help: "then the oldest, until all take at most this, e.g. 2GiB"),
            OptionSpec("--dry-run", help: "count, remove nothing"),
        ],
        examples: ["dome gc --older-than 7d --dry-run"]
    ) { invocation async throws(CommandFailure) in
        let age = try quantity(invocation, "--older-than", Quantity.milliseconds, "a duration such as 12h or 7d")
        let size = try quantity(invocation, "--max-size", Quantity.bytes, "a size such as 500MiB or 2GiB")
        let isDryRun = invocation.has("--dry-run")
        let client = try invocation.client()
        let result = try await calling { () async throws(ClientError) in
            try await client.collectGarbage(
                olderThanSeconds: age.map { max(1, $0 / 1000) } ?? 0, maxBytes: size ?? 0, isDryRun: isDryRun)
        }
        let verb = isDryRun ? "would remove" : "removed"
        try invocation.print(
            json: [
                "jobs_removed": .integer(Int64(result.jobsRemoved)), "bytes_freed": .count(result.bytesFreed),
                "dry_run": .bool(isDryRun),
            ],
            text: "\(verb) \(result.jobsRemoved) jobs, \(Quantity.text(bytes: result.bytesFreed))\n")
        return ExitStatus.success
    }
}

private func quantity(
    _ invocation: Invocation, _ option: String, _ parse: (String) -> UInt64?, _ form: String
) throws(CommandFailure) -> UInt64? {
    guard let text = invocation.value(option) else { return nil }
    guard let value = parse(text), value > 0 else { throw .usage("\(option) must be \(form), not '\(text)'") }
    return value
}
