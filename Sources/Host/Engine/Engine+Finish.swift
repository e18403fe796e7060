internal import DomeAsync
internal import DomeLink
internal import DomeModel
internal import DomePlatform
internal import DomeStore
internal import Synchronization

extension Engine {
    /// The end of a job that ran in a keeper.
    func finish(_ job: LiveJob, exited exit: JobExit) async {
        // From an EXIT record that this daemon found, it may be the first it hears of the job having run at all.
        if exit.report.startedNanoseconds != 0 { job.startedNanoseconds = exit.report.startedNanoseconds }
        notePluginEnd(of: job, exit.report)
        let artifacts = await collectArtifacts(of: job, exit)
        let ending = JobEnding(exit.report)
        let result = await checkResult(of: job, ending)
        await finish(
            job, result.judging(ending), exit.report, artifacts, result, await outputDigests(of: job))
    }

    /// nil when it has written nothing as far as is known: its events so far are that it waited and ran.
    private func outputDigests(of job: LiveJob) async -> OutputDigests? {
        guard hub.head(of: job.id)?.lastSeq ?? 0 > 2 else { return nil }
        do throws(DomeError) {
            while true { if let digests = try await files.outputDigests(job.id) { return digests } }
        } catch {
            Log.warning("job.output_not_hashed", ["job": job.id.text, "error": error.description])
            return .unknown
        }
    }

    /// The one way a job ends: terminal event into the journal, then row, provenance and audit outcome in one
    /// transaction, and only then do followers see the event. Journal and row are written in one go on the store's
    /// thread. All of it may be repeated, and is, until it succeeds: a full disk delays an end, it never loses one.
    func finish(
        _ job: LiveJob, _ ending: JobEnding, _ exit: ExitReport? = nil, _ artifacts: ArtifactOutcome = .none,
        _ result: ResultOutcome = .none, _ output: OutputDigests? = nil
    ) async {
        let draft = JobEndDraft(
            jobID: job.id, toolID: job.toolID, caller: job.caller, startedNanoseconds: job.startedNanoseconds,
            documents: await documents(of: job), exit: exit, artifacts: artifacts, result: result, output: output)
        let path = files.journalPath(job.id)
        let terminal = Mutex<EventHub.StateChange?>(nil)
        let record = await retried(job.id) { () async throws(DomeError) in
            try await self.store.finish { () throws(DomeError) in
                let journal = try JobFiles.finish(journal: path, job.id, ending, artifacts)
                terminal.withLock { $0 = journal.terminal }
                return draft.completed(by: journal)
            }
        }.record
        job.state = record.state
        metrics.ended(record)
        live[job.id] = nil
        hub.publish(
            job.id,
            EventHub.Head(
                lastSeq: record.lastSeq, isTerminal: true, changes: terminal.withLock { $0.map { [$0] } ?? [] }))
        var report = JobReport(record, artifacts: reports(of: artifacts.artifacts, job.id))
        report.resultJSON = record.state == .succeeded ? result.text : ""
        job.end.set(report)
        givePlaceBack(job)
        releaseLater(job)
    }

    /// Has keepers forget ended jobs, several at a time and a little later: they can wait for it, clients do not.
    private func releaseLater(_ job: LiveJob) {
        endedJobs.append(job)
        if isDraining { return releaseEnded() }
        guard endedJobs.count == 1 else { return }
        Core.loop.schedule(afterMilliseconds: 20) { [self] in Core.assumeIsolated { releaseEnded() } }
    }

    func releaseEnded() {
        for job in endedJobs {
            if let keeper = job.keeper, keeper.jobs[job.id] != nil { keeper.send(.release(job.id)) }
        }
        endedJobs = []
    }

    /// Repeats `step` until it succeeds: soon at first, since a keeper may be just about to let the journal go, then
    /// each second.
    func retried<Value: Sendable>(
        _ id: JobID, _ step: @Core () async throws(DomeError) -> Value
    ) async -> Value {
        var pause: UInt64 = 5
        while true {
            do throws(DomeError) { return try await step() } catch {
                Log.warning("finish.delayed", ["job": id.text, "error": error.description])
                await Core.sleep(milliseconds: pause)
                pause = min(1_000, pause * 2)
            }
        }
    }
}

extension JobReport {
    /// From a row.
    init(_ record: JobRecord, artifacts: [ArtifactReport]) {
        self.init(
            jobID: record.jobID, toolID: record.toolID, profile: record.profile, state: record.state,
            createdNanoseconds: record.createdNanoseconds, lastSeq: record.lastSeq)
        reason = record.reason
        message = record.message
        startedNanoseconds = record.startedNanoseconds
        endedNanoseconds = record.endedNanoseconds
        exitCode = record.exitCode
        signal = record.signal
        self.artifacts = artifacts
    }
}
