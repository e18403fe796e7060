internal import DomeAsync
internal import DomeClient
internal import DomeModel
internal import DomePlatform

/// A job that a model asked for.
struct JobRequest: Sendable {
    /// Clients give a call up after some time, and a result that comes later is lost to them: none waits longer.
    static let longestWait = 25.0

    var toolID: String
    var task: JSONValue
    /// Nil: what the settings give.
    var grants: [String]?
    /// Nil: as long as suits the client.
    var waitSeconds: Double?
    /// 0: the tool's own limit.
    var timeoutSeconds: Double
    /// Nil: as the client can take it.
    var outputBytes: Int?
    /// What it gets if `grants` is nil.
    var usualGrants: [String] = []

    /// Starts the job and waits for its end, or as long as it may.
    @Core
    func run(_ call: Call) async throws(ToolFailure) -> ToolAnswer {
        let jobID = try await submit(call)
        let limit = outputBytes ?? ResultBudget.bytes(call)
        let watch = JobWatch(
            call, jobID: jobID, sinceSeq: 0, output: OutputCapture(limit: limit, excess: .cutMiddle, sinceSeq: 0))
        // A model that says how long it waits means to see the job's id then, whatever its client can do.
        let mayBeTask = call.takesTasks && waitSeconds == nil
        // Whoever cancels the call that started the job means the job. (A connection that ends is no cancellation.)
        let answer: ToolAnswer
        do throws(ClientError) {
            try await watch.wait(seconds: waitSeconds ?? (mayBeTask ? JobTask.patienceSeconds : Self.longestWait))
            if call.isCancelled {
                _ = try await call.bridge.client.cancel(jobID, idempotencyKey: "mcp-cancel-" + jobID)
            }
            if mayBeTask, !watch.isOver, !call.isCancelled {
                return ToolAnswer(task: JobTask.fields(try await call.bridge.client.job(jobID)))
            }
            answer = try await JobReport(call, jobID, watch).answer()
        } catch {
            // The job exists, and that must not get lost with the connection.
            throw ToolFailure(
                code: ToolFailure(error).code, message: "\(jobID) was started, but: \(error.message)",
                hint: "It runs on: call dome_follow with job_id \"\(jobID)\" and since_seq \(watch.lastSeq).")
        }
        return answer
    }

    @Core
    private func submit(_ call: Call) async throws(ToolFailure) -> String {
        let usual = grants == nil ? usualGrants : []
        let key = "mcp-" + JobID.make().text.dropFirst(4)
        do throws(ClientError) {
            return try await call.bridge.client.submit(submission(call, key, grants ?? usual)).jobID
        } catch {
            // The folder in which the client happens to be may be one that nobody may have, or gone: nobody asked for it.
            guard case .refused(let refusal) = error, !usual.isEmpty,
                [.policyDenied, .invalidRequest, .notFound].contains(refusal.code)
            else {
                throw ToolFailure(error, toolID: toolID)
            }
        }
        return try await asking(toolID) { () async throws(ClientError) in
            try await call.bridge.client.submit(submission(call, key + "-bare", [])).jobID
        }
    }

    @Core
    private func submission(_ call: Call, _ key: String, _ grants: [String]) -> Submission {
        // The events are followed: the reply need not wait for the end.
        var constraints: JSONObject = ["wait_ms": 0]
        if timeoutSeconds > 0 {
            constraints["timeout_ms"] = .integer(Int64(max(1, min(timeoutSeconds * 1000, 1e12))))
        }
        if !grants.isEmpty { constraints["grants"] = .array(grants.map { .string($0) }) }
        var submission = Submission(
            toolID: toolID, profile: call.bridge.settings.profile, idempotencyKey: key, taskJSON: task.compact,
            constraintsJSON: JSONValue.object(constraints).compact)
        submission.callerJSON = StatedCaller.json(call)
        return submission
    }
}

/// How much a result may hold. Clients cut what is larger, at a place that they choose.
enum ResultBudget {
    private static let usual = 24_000
    /// codex cuts at about 10,000 tokens, which is 12 kB of what tokenizes badly.
    private static let ofCodex = 11_000

    @Core
    static func bytes(_ call: Call) -> Int {
        if let bytes = call.bridge.settings.outputBytes { return bytes }
        return call.client.isCodex ? ofCodex : usual
    }
}
