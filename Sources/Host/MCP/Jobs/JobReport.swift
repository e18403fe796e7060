internal import DomeAsync
internal import DomeClient
internal import DomeModel

/// What a model is told of a job.
@Core
struct JobReport {
    private let call: Call
    private let jobID: String
    private let watch: JobWatch

    init(_ call: Call, _ jobID: String, _ watch: JobWatch) {
        (self.call, self.jobID, self.watch) = (call, jobID, watch)
    }

    func answer() async throws(ClientError) -> ToolAnswer {
        let job: JobOutcome
        // A job that left no files has said everything with its last event.
        if let seen = watch.outcome, seen.artifacts != nil {
            job = seen
        } else {
            job = JobOutcome(try await call.bridge.client.job(jobID))
        }
        let text = watch.output.text()
        let isMore = watch.output.isFull
        var document = JSONObject.success()
        document["job_id"] = .string(jobID)
        document["state"] = .string(job.state?.name ?? "unknown")
        if let exitCode = job.exitCode { document["exit_code"] = .integer(Int64(exitCode)) }
        document["stdout"] = .string(text.stdout)
        document["stderr"] = .string(text.stderr)
        document["next_seq"] = .count(watch.lastSeq)
        document["truncated"] = .bool(text.isCut || isMore)
        let files = ArtifactList(job.artifacts ?? [], of: jobID, from: 0, limitBytes: ResultBudget.bytes(call) / 5)
        document["artifacts"] = files.json
        judge(job, &document)
        let more = [moreHint(job, isCut: text.isCut, isMore: isMore), files.hint].filter { !$0.isEmpty }
            .joined(separator: " ")
        if let hint = document["hint"]?.stringValue, !more.isEmpty {
            document["hint"] = .string(hint.isEmpty ? more : hint + " " + more)
        }
        return ToolAnswer(document)
    }

    /// Whether it went well, and what to do if not.
    private func judge(_ job: JobOutcome, _ document: inout JSONObject) {
        guard let state = job.state, state.isTerminal else { return }
        switch state {
        case .succeeded, .queued, .running: return
        case .canceled:
            document["code"] = "E_JOB_CANCELED"
            document["hint"] = "It was canceled; what it printed until then is here."
        case .failed:
            document["code"] = "E_JOB_FAILED"
            document["hint"] = .string(Self.failureHint(job))
        }
        document["ok"] = false
        var words = [ending(job)]
        for remark in watch.remarks where !words.contains(remark) { words.append(remark) }
        document["message"] = .string(words.joined(separator: "; "))
    }

    private func ending(_ job: JobOutcome) -> String {
        if let signal = job.signal { return "the job was ended by signal \(signal)" + reason(job) }
        if let code = job.exitCode { return "the program exited with \(code)" + reason(job) }
        return job.message.isEmpty ? "the job \(job.state?.name ?? "ended")" : job.message
    }

    private func reason(_ job: JobOutcome) -> String {
        job.reason.isEmpty || job.reason == "exited" ? "" : " (\(job.reason))"
    }

    private static func failureHint(_ job: JobOutcome) -> String {
        if job.reason.contains("timeout") || job.reason.contains("wall") {
            return "It reached its time limit: give a larger timeout_s, or less to do."
        }
        return
            "stdout and stderr say why. The job saw only what was granted: if a file or the network was missing, name "
            + "it in grants (fs.read:/path, fs.write:/path, net.full)."
    }

    private func moreHint(_ job: JobOutcome, isCut: Bool, isMore: Bool) -> String {
        let id = "dome_follow with job_id \"\(jobID)\" and since_seq"
        if isMore { return "There is more: call \(id) \(watch.lastSeq)." }
        var hints: [String] = []
        if job.state?.isTerminal == false {
            hints.append("The job runs on: call \(id) \(watch.lastSeq) for what comes next, or dome_cancel to end it.")
        }
        if isCut { hints.append("Output is left out: \(id) \(watch.output.wholeUntilSeq) pages through it.") }
        return hints.joined(separator: " ")
    }
}
