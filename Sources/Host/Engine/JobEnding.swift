package import DomeModel

/// How a job ends: what the terminal event says, and its row.
package struct JobEnding: Sendable, Equatable {
    package var from: JobState
    package var state: JobState
    /// One word for programs: "exited", "signaled", "timeout", "canceled", "keeper_lost", …
    package var reason: String
    /// For people.
    package var message: String
    package var exitCode: Int32?
    package var signal: Int32?

    package init(
        from: JobState, state: JobState, reason: String, message: String, exitCode: Int32? = nil, signal: Int32? = nil
    ) {
        self.from = from
        self.state = state
        self.reason = reason
        self.message = message
        self.exitCode = exitCode
        self.signal = signal
    }

    /// What the keeper's EXIT record means. The same record always gives the same ending, so that recovery can
    /// repeat it.
    package init(_ report: ExitReport) {
        self.init(from: .running, state: .failed, reason: report.cause.name, message: report.message)
        switch report.cause {
        case .exited:
            exitCode = report.exitCode
            signal = report.signal
            if exitCode == 0 { state = .succeeded }
            reason = signal == nil ? "exited" : "signaled"
            // A plugin's worker says where it crashed, an executor why the job failed.
            let place = report.message.isEmpty ? "" : ": " + report.message
            message = (signal.map { "ended by signal \($0)" } ?? "exited with code \(exitCode ?? -1)") + place
        case .canceled:
            state = .canceled
            if report.startedNanoseconds == 0 { from = .queued }
            if message.isEmpty { message = "canceled" }
            takeStatus(report)
        case .timeout:
            if message.isEmpty { message = "ended at its wall-time limit" }
            takeStatus(report)
        case .diskFull:
            if message.isEmpty { message = "the disk stayed full; free space and run it again" }
            takeStatus(report)
        case .launchFailed:
            from = report.startedNanoseconds == 0 ? .queued : .running
            if message.isEmpty { message = "could not be started" }
        case .keeperLost:
            if message.isEmpty { message = "its keeper died, and the job with it" }
        case .sessionEnded:
            if message.isEmpty {
                message =
                    "its keeper was ended with your last session or with the machine; 'loginctl enable-linger' "
                    + "lets jobs outlive sessions"
            }
        case .pluginFailed:
            if report.startedNanoseconds == 0 { from = .queued }
            if message.isEmpty { message = "its plugin failed without saying why" }
            takeStatus(report)
        case .failedElsewhere, .executorLost:
            if report.startedNanoseconds == 0 { from = .queued }
            if message.isEmpty { message = "its executor says that it failed" }
        }
    }

    /// A tool that was ended by force has a status too, if it ever ran.
    private mutating func takeStatus(_ report: ExitReport) {
        guard report.startedNanoseconds != 0 else { return }
        exitCode = report.exitCode
        signal = report.signal
    }

    /// Whether an error event precedes the terminal one: dome ended the job or could not run it.
    package var needsErrorEvent: Bool { state == .failed && reason != "exited" && reason != "signaled" }

    /// The error event's payload.
    package var errorPayload: [UInt8] {
        let payload: JSONValue = ["reason": .string(reason), "message": .string(message)]
        return Array(payload.compact.utf8)
    }

    /// The terminal event's payload. With the number of artifacts, so that a follower of a job that left none knows all
    /// about its end without asking.
    package func payload(artifacts: Int) -> [UInt8] {
        var object = JSONObject()
        object["from"] = .string(from.name)
        object["to"] = .string(state.name)
        if let exitCode { object["exit_code"] = .integer(Int64(exitCode)) }
        if let signal { object["signal"] = .integer(Int64(signal)) }
        object["reason"] = .string(reason)
        object["message"] = .string(message)
        object["artifacts"] = .integer(Int64(artifacts))
        return Array(JSONValue.object(object).compact.utf8)
    }

    /// What an earlier life of the daemon wrote as terminal event; nil when it is none of ours.
    package init?(payload: [UInt8]) {
        guard let document = try? JSONParser.parse(payload, what: "terminal event"),
            let from = document["from"]?.stringValue.flatMap(JobState.init(name:)),
            let state = document["to"]?.stringValue.flatMap(JobState.init(name:)), state.isTerminal
        else { return nil }
        self.init(
            from: from, state: state, reason: document["reason"]?.stringValue ?? "",
            message: document["message"]?.stringValue ?? "",
            exitCode: document["exit_code"]?.integerValue.map { Int32(clamping: $0) },
            signal: document["signal"]?.integerValue.map { Int32(clamping: $0) })
    }
}

/// The payload of a change of state that is not the last.
func stateChangePayload(from: JobState?, to: JobState) -> [UInt8] {
    Array("{\"from\":\"\(from?.name ?? "")\",\"to\":\"\(to.name)\"}".utf8)
}
