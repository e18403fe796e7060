import DomeClient
import DomeModel
import DomePlatform

extension Verb {
    /// `dome jobs`
    static let jobs = Verb(
        words: ["jobs"], summary: "list jobs, newest first",
        options: [
            OptionSpec(
                "--state", value: "STATE", help: "only jobs in this state", isRepeatable: true,
                completion: .words(JobState.allCases.map(\.name))),
            OptionSpec("--tool", value: "TOOL", help: "only this tool's jobs", completion: .tools),
            OptionSpec("--since", value: "TIME", help: "created at or after: a duration ago (2h) or an RFC 3339 time"),
            OptionSpec("--until", value: "TIME", help: "created before, likewise"),
            OptionSpec("--limit", short: "-n", value: "N", help: "at most so many (default 20)"),
            OptionSpec("--all", short: "-a", help: "all of them"),
        ],
        examples: ["dome jobs --state running", "dome jobs --tool shell.run --since 1d -o json"]
    ) { invocation async throws(CommandFailure) in
        var filter = JobFilter()
        filter.states = invocation.values("--state").compactMap(JobState.init(name:))
        filter.toolID = invocation.value("--tool") ?? ""
        filter.since = try invocation.moment("--since")
        filter.until = try invocation.moment("--until")
        let limit = invocation.has("--all") ? Int.max : try invocation.count("--limit") ?? 20
        let client = try invocation.client()
        let jobs = try await listJobs(client, filter, limit: limit)
        try invocation.print(
            json: .array(jobs.map(\.json)), text: jobTable(jobs, invocation.style, filter == JobFilter()))
        return ExitStatus.success
    }
}

private func listJobs(_ client: DaemonClient, _ filter: JobFilter, limit: Int) async throws(CommandFailure)
    -> [JobSummary]
{
    var jobs: [JobSummary] = []
    var token = ""
    repeat {
        let (size, next) = (UInt32(clamping: min(limit - jobs.count, 1000)), token)
        let page = try await calling { () async throws(ClientError) in
            try await client.jobs(filter, pageSize: size, pageToken: next)
        }
        jobs += page.jobs
        token = page.nextPageToken
    } while !token.isEmpty && jobs.count < limit
    return Array(jobs.prefix(limit))
}

private func jobTable(_ jobs: [JobSummary], _ style: Style, _ isUnfiltered: Bool) -> String {
    if jobs.isEmpty { return isUnfiltered ? "no jobs yet\n" : "no such jobs\n" }
    var table = Table(["JOB", "TOOL", "STATE", "EXIT", "CREATED", "TOOK", "MESSAGE"])
    for job in jobs {
        table.add([
            job.jobID, job.toolID, job.state?.name ?? "unknown", job.exitCode.map { String($0) } ?? "-",
            Age.text(job.createdAt), job.duration, job.message,
        ])
    }
    return table.text(width: Output.stdout.width, style: style)
}

/// Times as people compare them.
enum Age {
    /// E.g. "5 m 2 s ago".
    static func text(_ timestamp: String) -> String {
        guard let nanoseconds = Timestamp.parse(timestamp) else { return "-" }
        let age = Clock.wallNanoseconds() - nanoseconds
        return age < 1_000_000_000 ? "now" : Quantity.text(milliseconds: UInt64(age / 1_000_000_000) * 1000) + " ago"
    }
}

extension JobSummary {
    /// From start to end, or to now; "-" if it has not started.
    var duration: String {
        guard let start = Timestamp.parse(startedAt) else { return "-" }
        let end = Timestamp.parse(endedAt) ?? Clock.wallNanoseconds()
        return Quantity.text(milliseconds: UInt64(max(0, end - start) / 1_000_000))
    }
}
