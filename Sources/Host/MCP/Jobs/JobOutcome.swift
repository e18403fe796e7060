internal import DomeClient
internal import DomeModel

/// How a job is, as far as a model is told.
struct JobOutcome: Sendable, Equatable {
    /// Nil for a state that this build does not know.
    var state: JobState?
    var exitCode: Int32?
    var signal: Int32?
    var reason: String
    var message: String
    /// Nil if only the job's record has them.
    var artifacts: [Artifact]?

    init(_ job: JobDetail) {
        (state, exitCode, signal) = (job.summary.state, job.summary.exitCode, job.signal)
        (reason, message, artifacts) = (job.reason, job.summary.message, job.artifacts)
    }

    /// What a job's last event says; nil for another event.
    init?(terminal payload: JSONValue) {
        guard let state = payload["to"]?.stringValue.flatMap(JobState.init(name:)), state.isTerminal else { return nil }
        self.state = state
        exitCode = payload["exit_code"]?.integerValue.map { Int32(clamping: $0) }
        signal = payload["signal"]?.integerValue.map { Int32(clamping: $0) }
        reason = payload["reason"]?.stringValue ?? ""
        message = payload["message"]?.stringValue ?? ""
        // Only a count: the names and sums of those there are stand in the record.
        artifacts = payload["artifacts"]?.integerValue == 0 ? [] : nil
    }
}
