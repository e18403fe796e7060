internal import DomeAsync
internal import DomeCatalog
internal import DomeLink
internal import DomeModel
internal import DomePlatform
internal import DomeStore

// Looking after a job that an executor drives, until it has ended.
extension Engine {
    /// From the kept handle to the end. All that an end needs is in the database and the journal, so this may be cut
    /// short at any point and begun again by the next life of the daemon.
    func follow(_ job: LiveJob, _ drive: Drive) async {
        let opened = await retried(job.id) { () async throws(DomeError) in
            try await self.files.openDriven(job.id, drive.limits)
        }
        publish(opened.head, of: job, drive)
        var exit = opened.exit
        while exit == nil { exit = await step(job, drive) }
        if let exit { await end(job, drive, exit) }
    }

    /// One question and what it leads to; how the job ended, once it has.
    private func step(_ job: LiveJob, _ drive: Drive) async -> ExitReport? {
        await noteEnding(job, drive)
        if let exit = await press(job, drive) { return exit }
        switch await call(.poll(handle: drive.handle, cursor: drive.head.cursor), of: job, drive) {
        case .answered(let document):
            (drive.trouble, drive.failures, drive.refusals) = ("", 0, 0)
            return await take(document, job, drive)
        case .refused(let error) where error.code == .notFound:
            return forgotten(drive, error)
        case .refused(let error):
            drive.refusals += 1
            drive.trouble = error.message
            // Unavailable is no fault of the job's: only its own time limit ends the waiting.
            if error.code != .resourceExhausted, drive.refusals >= Self.refusalLimit {
                return await abandon(job, drive, error.message)
            }
            await rest(drive, Drive.backOff(drive.refusals + 2))
        case .lost(let error), .unreachable(let error):
            drive.failures += 1
            drive.trouble = "its executor cannot be asked: \(error.message)"
            // Somebody may be mending it.
            if drive.failures > 2 { await refreshPlugins() }
            await rest(drive, Drive.backOff(drive.failures))
        }
        return nil
    }

    private static let refusalLimit = 5

    private func rest(_ drive: Drive, _ milliseconds: UInt64) async {
        await drive.pause(milliseconds: drive.pauseMilliseconds(milliseconds))
    }

    /// Takes a poll's answer: into the journal, and only then to followers.
    private func take(_ document: [UInt8], _ job: LiveJob, _ drive: Drive) async -> ExitReport? {
        let report: DriveReport
        do throws(DomeError) {
            report = try DriveReport(document, after: drive.head.state, drive.head.cursor)
        } catch {
            return await abandon(job, drive, error.message)
        }
        drive.reports += 1
        let began = Clock.monotonicNanoseconds()
        while true {
            do throws(DomeError) {
                publish(try await files.record(report, number: drive.reports, of: job.id), of: job, drive)
                break
            } catch {
                Log.error("journal.refused", ["job": job.id.text, "error": error.description])
                drive.trouble = error.message
                let waited = UInt64(clamping: Clock.monotonicNanoseconds() - began) / 1_000_000_000
                if waited >= configuration.diskFullGraceSeconds {
                    _ = await call(.cancel(handle: drive.handle, force: true), of: job, drive)
                    return exit(drive, .diskFull, "the disk of its journal stayed full")
                }
                await Core.sleep(milliseconds: 200)
            }
        }
        drive.trouble = ""
        drive.note = report.state == .queued ? report.message : ""
        if report.state.isTerminal { return exit(drive, report) }
        await rest(drive, report.pollMilliseconds)
        return nil
    }

    /// Shows followers and clients what the journal holds.
    func publish(_ head: DrivenJournal.Head, of job: LiveJob, _ drive: Drive) {
        drive.take(head)
        if let started = head.startedNanoseconds, job.state == .queued {
            job.state = .running
            job.startedNanoseconds = started
            noteRunning(job, started)
        }
        hub.publish(job.id, EventHub.Head(lastSeq: max(1, head.lastSeq), isTerminal: false))
    }

    // MARK: Before it ends by itself

    /// Whether it is to end: because somebody asked, or its time is over.
    private func noteEnding(_ job: LiveJob, _ drive: Drive) async {
        guard drive.ending == nil else { return }
        if job.isCancelRequested {
            drive.end(.canceled, "")
            let payload: JSONValue = [
                "cancel_requested": true, "message": "cancel requested", "uid": .integer(Int64(job.caller.userID)),
            ]
            do throws(DomeError) {
                publish(try await files.noteCancel(of: job.id, Array(payload.compact.utf8)), of: job, drive)
            } catch {
                Log.warning("journal.refused", ["job": job.id.text, "error": error.description])
            }
        } else if let deadline = drive.deadlineNanoseconds, Clock.monotonicNanoseconds() >= deadline {
            drive.end(.timeout, "")
        }
    }

    /// Tells the executor that the job is to end: once, then by force, and then goes without its word.
    private func press(_ job: LiveJob, _ drive: Drive) async -> ExitReport? {
        guard let ending = drive.ending else { return nil }
        let now = Clock.monotonicNanoseconds()
        if ending.hasForced || !drive.trouble.isEmpty, now >= ending.surrenderNanoseconds {
            let why = drive.trouble.isEmpty ? "its executor did not say that it ended" : drive.trouble
            return exit(drive, ending.cause, "\(why); it may go on where it runs")
        }
        let force = now >= ending.forceNanoseconds
        guard force ? !ending.hasForced : !ending.hasAsked else { return nil }
        switch await call(.cancel(handle: drive.handle, force: force), of: job, drive) {
        case .answered:
            drive.ending?.hasAsked = true
            drive.ending?.hasForced = force
            drive.trouble = ""
        case .refused(let error) where error.code == .notFound: return forgotten(drive, error)
        case .refused(let error), .lost(let error), .unreachable(let error):
            drive.trouble = error.message
        }
        return nil
    }

    // MARK: Ends

    /// A wait status that is neither an exit nor a signal.
    private static let noStatus: Int32 = 0x7f

    private func exit(_ drive: Drive, _ cause: EndCause, _ message: String) -> ExitReport {
        var exit = ExitReport(cause: cause)
        exit.rawWaitStatus = Self.noStatus
        exit.message = message
        exit.startedNanoseconds = drive.head.startedNanoseconds ?? 0
        exit.endedNanoseconds = Clock.wallNanoseconds()
        return exit
    }

    /// As the executor tells it. What had been asked for before is why it ended, unless it ended well.
    private func exit(_ drive: Drive, _ report: DriveReport) -> ExitReport {
        var exit: ExitReport
        switch report.state {
        case .succeeded:
            exit = self.exit(drive, .exited, "")
            exit.rawWaitStatus = 0
            exit.hasOutput = true
            return exit
        case .canceled:
            let message = drive.ending == nil && report.message.isEmpty ? "canceled where it ran" : report.message
            exit = self.exit(drive, drive.ending?.cause ?? .canceled, message)
        default:
            let own: EndCause = report.exitCode ?? 0 == 0 ? .failedElsewhere : .exited
            exit = self.exit(drive, drive.ending?.cause ?? own, report.message)
        }
        if let code = report.exitCode { exit.rawWaitStatus = code << 8 }
        exit.hasOutput = drive.head.startedNanoseconds != nil
        return exit
    }

    private func forgotten(_ drive: Drive, _ error: DomeError) -> ExitReport {
        exit(
            drive, drive.ending?.cause ?? .executorLost, "its executor knows of no such job any more: \(error.message)")
    }

    /// Ends a job whose executor does not keep to the rules; what it may still run is canceled, as far as that can be.
    private func abandon(_ job: LiveJob, _ drive: Drive, _ why: String) async -> ExitReport {
        Log.error("job.abandoned", ["job": job.id.text, "executor": drive.executor, "error": why])
        _ = await call(.cancel(handle: drive.handle, force: true), of: job, drive)
        return exit(
            drive, .pluginFailed, "executor \(drive.executor) does not keep to the rules: \(why); the job was canceled")
    }

    /// The rest of its output, its EXIT record, and then the end that every job has.
    private func end(_ job: LiveJob, _ drive: Drive, _ exit: ExitReport) async {
        let began = Clock.monotonicNanoseconds()
        let head = await retried(job.id) { () async throws(DomeError) in
            let waited = UInt64(clamping: Clock.monotonicNanoseconds() - began) / 1_000_000_000
            let isDropping = exit.cause == .diskFull || waited >= self.configuration.diskFullGraceSeconds
            return try await self.files.endDriven(job.id, exit, isDropping: isDropping)
        }
        publish(head, of: job, drive)
        await finish(job, exited: JobExit(report: exit))
    }
}
