internal import DomeAsync
internal import DomeClient
internal import DomeModel
internal import DomePlatform

/// A job as a task of the extension `io.modelcontextprotocol/tasks`. The task's id is the job's, and there is nothing
/// else to keep: whoever knows the id asks any bridge, at any time, as long as the daemon has the job.
@Core
enum JobTask {
    /// A client that can wait by itself is not kept waiting longer than this; then its call is a task.
    static let patienceSeconds = 2.0

    private static let shortestPollMilliseconds: Int64 = 500
    private static let longestPollMilliseconds: Int64 = 5_000

    /// The members that every task has.
    static func fields(_ job: JobDetail) -> JSONObject {
        let summary = job.summary
        let updated = [summary.endedAt, summary.startedAt, summary.createdAt].first { !$0.isEmpty } ?? ""
        var task: JSONObject = [
            "taskId": .string(summary.jobID), "status": .string(status(summary.state)),
            "createdAt": .string(summary.createdAt), "lastUpdatedAt": .string(updated),
            // The user's retention decides, which knows no age of its own for one job.
            "ttlMs": .null, "pollIntervalMs": .integer(pollMilliseconds(summary)),
        ]
        let message = [summary.state?.name ?? "", summary.message].filter { !$0.isEmpty }.joined(separator: ": ")
        if !message.isEmpty { task["statusMessage"] = .string(message) }
        return task
    }

    /// A job that failed is a task that was completed: with a result that says so. Only what is no result would be a
    /// failed task, and of that a job has none.
    private static func status(_ state: JobState?) -> String {
        switch state {
        case .succeeded, .failed: "completed"
        case .canceled: "cancelled"
        case .queued, .running, nil: "working"
        }
    }

    /// A tenth of the job's age: who has waited a minute does not mind five seconds.
    private static func pollMilliseconds(_ summary: JobSummary) -> Int64 {
        guard let created = Timestamp.parse(summary.createdAt) else { return shortestPollMilliseconds }
        let age = (Clock.wallNanoseconds() - created) / 1_000_000
        return max(shortestPollMilliseconds, min(age / 10, longestPollMilliseconds))
    }

    /// The answer to tasks/get: with the call's result once there is one.
    static func document(_ call: Call, _ job: JobDetail) async throws(ClientError) -> JSONObject {
        var task = fields(job)
        guard job.summary.state == .succeeded || job.summary.state == .failed else { return task }
        let id = job.summary.jobID
        let watch = JobWatch(
            call, jobID: id, sinceSeq: 0,
            output: OutputCapture(limit: ResultBudget.bytes(call), excess: .cutMiddle, sinceSeq: 0))
        try await watch.wait(seconds: 0)
        task["result"] = .object(try await JobReport(call, id, watch).answer().result(for: call))
        return task
    }
}
