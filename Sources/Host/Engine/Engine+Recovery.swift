internal import DomeAsync
internal import DomeCatalog
internal import DomeLink
package import DomeModel
internal import DomePlatform
internal import DomeStore

extension Engine {
    /// Takes up where the last daemon ended, before anything is served: jobs that keepers still hold go on, ended
    /// ones are finished from their EXIT records, waiting ones wait again. Safe to be cut short and repeated.
    package func recover() async throws(DomeError) {
        Core.task { [self] in hostFacts.set(await facts.host()) }
        Core.task { [self] in await facts.renew(files.spares) }
        await refreshPlugins()
        await pins.load()
        noteRuleChanges()
        for tool in catalog.snapshot.tools { _ = pins.refusal(tool) }
        watchRegistry()
        hasSessionEnded = SessionMark(directories).renew()
        try await audit(.daemonStart)
        let unfinished = try await store.unfinishedJobs()
        var jobs: [LiveJob] = []
        for record in unfinished {
            let job = try await revive(record)
            live[job.id] = job
            jobs.append(job)
        }
        // The keepers' reports find their jobs in `live`.
        try await keepers.adopt()
        var undecided: [LiveJob] = []
        for job in jobs where await !takeUp(job) { undecided.append(job) }
        abortStrangers()
        if keepers.allHeard.value == nil {
            Core.task { [undecided, self] in
                _ = await keepers.allHeard.wait()
                for job in undecided { await takeUp(job) }
                abortStrangers()
                hasSessionEnded = false
                startWaiting()
            }
        } else {
            hasSessionEnded = false
        }
        keepers.ensureStarted()
        if !jobs.isEmpty { Log.info("daemon.recovered", ["jobs": String(jobs.count), "running": String(placesTaken)]) }
        startWaiting()
    }

    /// A row of the daemon's own life in the audit log.
    package func audit(_ kind: AuditKindOfDaemon) async throws(DomeError) {
        try await store.appendAudit(
            Self.ownEntry(
                kind == .daemonStart ? .daemonStart : .daemonStop,
                details: ["version": .string(version), "rules_sha256": .string(rulesDigest)]))
    }

    private func revive(_ record: JobRecord) async throws(DomeError) -> LiveJob {
        guard let detail = try await store.detail(record.jobID) else {
            throw DomeError(.internal, "job \(record.jobID) has no request in the database")
        }
        let provenance = try JSONParser.parse(detail.provenanceJSON, what: "provenance of \(record.jobID)")
        let job = LiveJob(detail, request: await request(of: detail), provenance: provenance.objectValue ?? [:])
        if let driven = try await store.driven(record.jobID) {
            (job.drive, job.isElsewhere) = (try Drive(driven), true)
            job.isCancelRequested = driven.cancelRequestedNanoseconds != nil
        }
        readSource(of: job)
        return job
    }

    /// The request once more, as the registry and the policy are now; nil when they do not allow it any more.
    private func request(of detail: JobDetail) async -> AcceptedRequest? {
        let record = detail.record
        var request = SubmitRequest(
            skillID: record.toolID, profile: record.profile, idempotencyKey: record.idempotencyKey,
            taskJSON: detail.taskJSON, constraintsJSON: detail.constraintsJSON, caller: record.caller)
        request.traceparent =
            (try? JSONParser.parse(detail.provenanceJSON, what: "provenance"))?["invocation"]?["traceparent"]?
            .stringValue
        do throws(DomeError) {
            return try await accept(
                request, try catalog.snapshot.tool(record.toolID),
                try SubmittedTask(parsing: detail.taskJSON, what: "task of \(record.jobID)"),
                try Constraints(parsing: detail.constraintsJSON))
        } catch {
            Log.warning("job.no_longer_allowed", ["job": record.jobID.text, "error": error.description])
            return nil
        }
    }

    /// Decides for one job where it stands; false if that depends on a keeper which has not spoken yet.
    @discardableResult
    private func takeUp(_ job: LiveJob) async -> Bool {
        if let keeper = keepers.connections.first(where: { $0.jobs[job.id] != nil }) {
            await takeOver(job, from: keeper)
            return true
        }
        let journal: JobJournal?
        do throws(DomeError) { journal = try await files.summary(job.id) } catch {
            if error.code != .notFound {
                Log.error("journal.unreadable", ["job": job.id.text, "error": error.description])
            }
            journal = nil
        }
        if let exit = journal?.exit {
            hub.publish(job.id, EventHub.Head(lastSeq: journal?.lastSeq ?? 0, isTerminal: false))
            // An executor may take its time to hand in what the job left.
            if job.drive != nil {
                if exit.startedNanoseconds != 0 {
                    (job.state, job.startedNanoseconds) = (.running, exit.startedNanoseconds)
                }
                Core.task { [self] in await finish(job, exited: JobExit(report: exit)) }
            } else {
                await finish(job, exited: JobExit(report: exit))
            }
        } else if let drive = job.drive {
            await takeUp(job, drive)
        } else if let journal, keepers.allHeard.value == nil {
            hub.publish(job.id, EventHub.Head(lastSeq: max(1, journal.lastSeq), isTerminal: false))
            return false
        } else if let journal, journal.lastSeq > 1 {
            hub.publish(job.id, EventHub.Head(lastSeq: journal.lastSeq, isTerminal: false))
            await finishInterrupted(job)
        } else {
            await waitAgain(job, hasJournal: journal != nil && journal?.lastSeq == 1)
        }
        return true
    }

    private func takeOver(_ job: LiveJob, from keeper: KeeperConnection) async {
        job.keeper = keeper
        job.isOnItsWay = true
        takePlace(job)
        // First: whoever is told of a job may read its journal.
        if keeper.jobs[job.id] == .preparing || keeper.jobs[job.id] == .gated { await completeFolder(job) }
        hub.publish(job.id, EventHub.Head(lastSeq: max(1, keeper.heads[job.id] ?? 1), isTerminal: false))
        switch keeper.jobs[job.id] {
        case .running, .exited: job.state = .running
        default: break
        }
        if keeper.jobs[job.id] == .gated { job.gate.set(.ready) }
        if keeper.jobs[job.id] == .running { job.gate.set(.ready) }
        Core.task { [self] in
            // Saying it twice is harmless: the keeper ignores it for a job that runs.
            if keeper.jobs[job.id] != .exited { keeper.send(.go(job.id)) }
            // Asked for while the keeper was not heard of yet.
            if job.isCancelRequested { requestCancel(job, by: job.caller) }
            if case .refused(let error) = await job.gate.wait() { return await finish(job, JobEnding(refusal: error)) }
            await finish(job, exited: await job.exit.wait())
        }
    }

    /// The last daemon may have died between the admission and the making of the folder.
    private func completeFolder(_ job: LiveJob) async {
        do throws(DomeError) { try await files.complete(job.id) } catch {
            // Held by the keeper, which opened the gate and has not said so yet; or it will refuse the job.
            Log.info("job.folder_not_completed", ["job": job.id.text, "error": error.description])
        }
    }

    /// It ran, and nobody knows how it ended: a diagnostic is repeated, a process is lost with its keeper.
    private func finishInterrupted(_ job: LiveJob) async {
        if let request = job.request, case .diagnostic = request.tool.manifest.execution {
            takePlace(job)
            job.launched.set(.success(()))
            await run(job)
            return
        }
        await finish(job, exited: JobExit(report: await exitReport(ofLost: job.id)))
    }

    /// It never started: back into the queue.
    private func waitAgain(_ job: LiveJob, hasJournal: Bool) async {
        do throws(DomeError) {
            if !hasJournal {
                try await files.remove(job.id)
                try await files.complete(job.id)
            }
        } catch {
            Log.error("job.folder_failed", ["job": job.id.text, "error": error.description])
        }
        hub.publish(job.id, EventHub.Head(lastSeq: 1, isTerminal: false))
        queue.add(job.id, priority: job.priority)
    }

    /// Jobs that a keeper prepared but that were never admitted, or are finished already.
    private func abortStrangers() {
        for keeper in keepers.connections {
            for (id, phase) in keeper.jobs where live[id] == nil {
                switch phase {
                case .exited: keeper.send(.release(id))
                case .gated, .preparing, .running:
                    keeper.send(.abort(id))
                    Core.task { [self] in await removeFolder(id) }
                }
            }
        }
    }

    private func removeFolder(_ id: JobID) async {
        do throws(DomeError) { try await files.remove(id) } catch {
            Log.warning("job.folder_left", ["job": id.text, "error": error.description])
        }
    }
}

/// The audit rows about the daemon itself.
package enum AuditKindOfDaemon: Sendable {
    case daemonStart, daemonStop
}
