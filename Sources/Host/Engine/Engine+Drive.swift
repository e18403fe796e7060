internal import DomeAsync
internal import DomeCatalog
internal import DomeLink
internal import DomeModel
internal import DomePlatform
internal import DomeStore

// Jobs that an executor drives elsewhere: handed over, and the handle kept. What follows is in Engine+Follow.swift.
extension Engine {
    /// From the admission to the end.
    func drive(_ job: LiveJob) async {
        guard let request = job.request, case .executor(let id, let entrypoint) = request.tool.manifest.execution
        else { return await finish(job, JobEnding(refusal: DomeError(.internal, "\(job.toolID) has no executor"))) }
        let bounds = request.bounds(job.id)
        let drive = Drive(executor: id, limits: DriveLimits(bounds.limits))
        job.drive = drive
        job.isOnItsWay = true
        do throws(DomeError) {
            guard let handle = try await handOver(job, drive, request.jobDocument(job.id, entrypoint, bounds)) else {
                return await finish(job, .canceledInQueue)
            }
            drive.handle = handle
        } catch {
            return await finish(job, JobEnding(refusal: error))
        }
        // Before anything is said of it: from here on the handle finds it again.
        _ = await retried(job.id) { () async throws(DomeError) in
            try await self.store.keep(
                DrivenJob(
                    jobID: job.id, executor: id, handle: drive.handle, limitsJSON: drive.limits.json,
                    cancelRequestedNanoseconds: job.isCancelRequested ? Clock.wallNanoseconds() : nil))
        }
        Log.info("job.driven", ["job": job.id.text, "executor": id])
        await follow(job, drive)
    }

    /// The executor's handle; nil when the job was canceled before the executor heard of it. A worker that dies over the
    /// call is no answer: the job's id is what makes it safe to ask again.
    private func handOver(_ job: LiveJob, _ drive: Drive, _ document: [UInt8]) async throws(DomeError) -> String? {
        let began = Clock.monotonicNanoseconds()
        var losses = 0
        while true {
            switch await call(.start(job: document), of: job, drive) {
            case .answered(let answer):
                do throws(DomeError) { return try DriveReport.handle(in: answer) } catch {
                    throw DomeError(
                        .internal,
                        "executor \(drive.executor) started the job, but \(error.message): it may run without dome; "
                            + "report it to the executor's author")
                }
            case .refused(let error): throw error
            case .lost(let error):
                losses += 1
                guard losses < Self.startAttempts else {
                    throw DomeError(.internal, "\(error.message); whether the job was started is not known")
                }
                drive.failures += 1
            case .unreachable(let error):
                if losses == 0, job.isCancelRequested { return nil }
                let waited = (Clock.monotonicNanoseconds() - began) / 1_000_000
                guard waited < Self.startPatienceMilliseconds else { throw error }
                drive.failures += 1
            }
            await drive.pause(milliseconds: Drive.backOff(drive.failures))
        }
    }

    private static let startAttempts = 3
    private static let startPatienceMilliseconds: Int64 = 30_000

    /// One call to the executor as it is now.
    func call(_ call: DriveCall, of job: LiveJob, _ drive: Drive) async -> DriveOutcome {
        guard let worker = workers[drive.executor]?.worker else {
            let refusal = plugins.snapshot.refusal(drive.executor, for: job.toolID)
            return .unreachable(refusal ?? DomeError(.notFound, "plugin \(drive.executor) is no executor"))
        }
        let (outcome, attached) = await worker.carryOut(call, of: job.id, attached: drive.attached)
        drive.attached = attached
        return outcome
    }

    // MARK: After a restart

    /// Goes on with a job that an earlier life of the daemon handed over. Its journal is open when this returns.
    func takeUp(_ job: LiveJob, _ drive: Drive) async {
        job.isOnItsWay = true
        takePlace(job)
        var head = DrivenJournal.Head(lastSeq: 1)
        do throws(DomeError) {
            try await files.complete(job.id)
            head = try await files.openDriven(job.id, drive.limits).head
        } catch {
            // `follow` tries again until it can be.
            Log.error("journal.unreadable", ["job": job.id.text, "error": error.description])
        }
        publish(head, of: job, drive)
        Core.task { [self] in await follow(job, drive) }
    }
}
