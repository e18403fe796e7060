internal import DomeAsync
internal import DomeLink
internal import DomeModel
internal import DomePlatform

// What keepers say of jobs, and what becomes of jobs when a keeper or its connection is gone.
extension Engine {
    /// What a keeper says of a job.
    func take(_ event: KeeperEvent, from keeper: KeeperConnection) {
        switch event {
        case .prepared(let id): live[id]?.gate.set(.ready)
        case .started(let id, let startedNanoseconds, let seq):
            guard let job = live[id] else { return }
            let change = EventHub.StateChange(
                seq: seq, wallNanoseconds: startedNanoseconds,
                payload: stateChangePayload(from: .queued, to: .running))
            if seq > 0 { hub.note(id, change) }
            job.gate.set(.ready)
            job.state = .running
            job.startedNanoseconds = startedNanoseconds
            noteRunning(job, startedNanoseconds)
            Core.task { [self] in _ = await documents(of: job) }
        case .refused(let id, let error): if let job = live[id] { refuse(job, error) }
        case .head(let head):
            guard live[head.jobID] != nil, hub.head(of: head.jobID) != nil else { return }
            hub.publish(head.jobID, EventHub.Head(lastSeq: head.lastSeq, isTerminal: false))
        case .exited(let exit, let workDirectory):
            // Finished before the keeper said it again: all it wants to hear is that it may forget the job.
            guard let job = live[exit.head.jobID] else { return keeper.send(.release(exit.head.jobID)) }
            if hub.head(of: job.id) != nil {
                hub.publish(job.id, EventHub.Head(lastSeq: exit.head.lastSeq, isTerminal: false))
            }
            if exit.report.startedNanoseconds != 0 { job.startedNanoseconds = exit.report.startedNanoseconds }
            let work = exit.report.hasOutput ? workDirectory.map(WorkFolder.init) : nil
            job.exit.set(JobExit(report: exit.report, work: work, isSeen: true))
            job.gate.set(.ended)
        case .disconnected: break
        }
    }

    /// A keeper lives on behind another connection. What was said on the old one may never have come through, and
    /// to say it twice is harmless; a job that the keeper does not list never reached it.
    func reconnected(_ old: KeeperConnection, _ new: KeeperConnection) {
        for job in live.values where job.keeper === old && job.exit.value == nil {
            guard let phase = new.jobs[job.id] else {
                launchAgain(job)
                continue
            }
            job.keeper = new
            if phase == .gated || phase == .running { job.gate.set(.ready) }
            if phase != .exited, hub.head(of: job.id) != nil { new.send(.go(job.id)) }
            if job.isCancelRequested { new.send(.cancel(job.id, event: nil)) }
        }
    }

    /// A keeper is gone and no job of it is alive. One whose gate was never opened has run nothing and begins again;
    /// what was not reported of the others is read from the journals.
    func lost(_ keeper: KeeperConnection) {
        let jobs = live.values.filter { $0.keeper === keeper && $0.exit.value == nil }
        // One that had nothing to do any more may go as it likes.
        if !jobs.isEmpty { metrics.keeperLost() }
        for job in jobs { if job.isOnItsWay { end(lost: job) } else { launchAgain(job) } }
    }

    /// Starts a job in a keeper once more, of which nothing has run in the first.
    private func launchAgain(_ job: LiveJob) {
        // Belongs to none meanwhile, so that the next broken connection does not start it a second time.
        job.keeper = nil
        guard let plan = job.plan else { return end(lost: job) }
        Core.task { [self] in
            do throws(DomeError) { try await launch(job, plan) } catch { return refuse(job, error) }
            Log.info("job.launched_again", ["job": job.id.text])
            // Said while it belonged to no keeper.
            if job.isOnItsWay { job.keeper?.send(.go(job.id)) }
            if job.isOnItsWay, job.isCancelRequested { job.keeper?.send(.cancel(job.id, event: nil)) }
        }
    }

    /// The keeper will not have the job. Before its gate that is for `run` to say; behind it, it is how it ended.
    private func refuse(_ job: LiveJob, _ error: DomeError) {
        guard !job.gate.set(.refused(error)) else { return }
        var report = ExitReport(cause: .launchFailed)
        report.message = error.message
        report.endedNanoseconds = Clock.wallNanoseconds()
        job.exit.set(JobExit(report: report))
    }

    private func end(lost job: LiveJob) {
        Core.task { [self] in
            let report = await exitReport(ofLost: job.id)
            job.exit.set(JobExit(report: report))
            job.gate.set(.ended)
        }
    }

    /// The EXIT record if the keeper came to write it, else `keeper_lost` or `session_ended`.
    func exitReport(ofLost id: JobID) async -> ExitReport {
        do throws(DomeError) {
            if let report = try await files.summary(id).exit { return report }
        } catch {
            Log.error("journal.unreadable", ["job": id.text, "error": error.description])
        }
        var report = ExitReport(cause: hasSessionEnded ? .sessionEnded : .keeperLost)
        report.endedNanoseconds = Clock.wallNanoseconds()
        return report
    }
}
