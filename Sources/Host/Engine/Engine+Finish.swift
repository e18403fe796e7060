internal import DomeAsync
internal import DomeLink
internal import DomeModel
internal import DomePlatform
internal import DomeStore

extension Engine {
    /// The end of a job that ran in a keeper.
    func finish(_ job: LiveJob, exited exit: JobExit) async {
        await finish(job, JobEnding(exit.report), exit.report)
    }

    /// The one way a job ends: terminal event into the journal, then row, provenance and audit outcome in one
    /// transaction, and only then do followers see the event. Every step may be repeated, and is, until it
    /// succeeds: a full disk delays an end, it never loses one.
    func finish(_ job: LiveJob, _ ending: JobEnding, _ exit: ExitReport? = nil) async {
        let journal = await retried("write the end of the journal", job.id) { () async throws(DomeError) in
            try await self.files.finish(job.id, ending)
        }
        let finished = await self.record(job, journal, exit)
        let receipt = await retried("commit the end", job.id) { () async throws(DomeError) in
            try await self.store.finish(finished)
        }
        job.state = receipt.record.state
        live[job.id] = nil
        hub.publish(job.id, EventHub.Head(lastSeq: journal.lastSeq, isTerminal: true))
        job.end.set(JobReport(receipt.record, artifacts: finished.artifacts))
        if let keeper = job.keeper, keeper.jobs[job.id] != nil { keeper.send(.release(job.id)) }
        givePlaceBack(job)
    }

    private func record(_ job: LiveJob, _ journal: FinishedJournal, _ exit: ExitReport?) async -> FinishedJob {
        let ending = journal.ending
        let ended = exit.map(\.endedNanoseconds) ?? 0
        var details = JSONObject()
        details["reason"] = .string(ending.reason)
        if let exitCode = ending.exitCode { details["exit_code"] = .integer(Int64(exitCode)) }
        if let signal = ending.signal { details["signal"] = .integer(Int64(signal)) }
        details["last_seq"] = .integer(Int64(clamping: journal.lastSeq))
        let endedNanoseconds = ended > 0 ? ended : Clock.wallNanoseconds()
        var finished = FinishedJob(
            jobID: job.id, state: ending.state, reason: ending.reason, endedNanoseconds: endedNanoseconds,
            lastSeq: journal.lastSeq,
            outcome: AuditEntry(
                .outcome, timeNanoseconds: endedNanoseconds, actor: job.caller, jobID: job.id, toolID: job.toolID,
                outcome: ending.state.name, details: details))
        finished.message = ending.message
        finished.startedNanoseconds = job.startedNanoseconds
        finished.exitCode = ending.exitCode
        finished.signal = ending.signal
        finished.outputBytes = journal.bytes
        finished.provenanceJSON = await provenance(of: job, exit).compact
        finished.planJSON = job.plan.map { Self.summary(of: $0).compact } ?? "{}"
        if let exit {
            finished.enforcementJSON = Self.enforcement(exit).compact
            finished.resourcesJSON = Self.resources(exit).compact
        }
        return finished
    }

    /// The plan without environment, input and files: those may hold secrets.
    private static func summary(of plan: LaunchPlan) -> JSONValue {
        [
            "program": .string(plan.arguments.first ?? ""), "argument_count": .integer(Int64(plan.arguments.count)),
            "mounts": .array(plan.mounts.map { .string(($0.isWritable ? "write:" : "read:") + $0.source) }),
            "network": .string("\(plan.network)"), "wall_ms": .integer(Int64(clamping: plan.limits.wallMilliseconds)),
        ]
    }

    private static func enforcement(_ exit: ExitReport) -> JSONValue {
        ["layers": .array(SandboxLayers.names(of: exit.enforcedLayers).map { .string($0) })]
    }

    private static func resources(_ exit: ExitReport) -> JSONValue {
        [
            "user_us": .integer(Int64(clamping: exit.userMicroseconds)),
            "system_us": .integer(Int64(clamping: exit.systemMicroseconds)),
            "max_rss_kb": .integer(Int64(clamping: exit.maxResidentKilobytes)),
            "wall_us": .integer(max(0, exit.endedNanoseconds - exit.startedNanoseconds) / 1_000),
        ]
    }

    /// Repeats `step` until it succeeds: soon at first, since a keeper may be just about to let the journal go, then
    /// each second.
    private func retried<Value: Sendable>(
        _ what: StaticString, _ id: JobID, _ step: @Core () async throws(DomeError) -> Value
    ) async -> Value {
        var pause: UInt64 = 5
        while true {
            do throws(DomeError) { return try await step() } catch {
                Log.warning("finish.delayed", ["job": id.text, "step": "\(what)", "error": error.description])
                await Core.sleep(milliseconds: pause)
                pause = min(1_000, pause * 2)
            }
        }
    }
}

extension JobReport {
    /// From a row.
    init(_ record: JobRecord, artifacts: [Artifact]) {
        self.init(
            jobID: record.jobID, toolID: record.toolID, profile: record.profile, state: record.state,
            createdNanoseconds: record.createdNanoseconds, lastSeq: record.lastSeq)
        reason = record.reason
        message = record.message
        startedNanoseconds = record.startedNanoseconds
        endedNanoseconds = record.endedNanoseconds
        exitCode = record.exitCode
        signal = record.signal
        self.artifacts = artifacts.map { ArtifactReport(kind: $0.kind, path: $0.path) }
    }
}
