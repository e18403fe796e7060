import DomeJail
import DomeJournal
import DomeLink
import DomeModel
import DomePlatform
import Glibc

/// From the first reason to end to the EXIT record.
extension JobRun {
    /// domed wants it ended.
    func cancel(_ event: LinkEvent?) {
        guard phase != .exited, report == nil, !isAborted else { return }
        if let event { append(event, number: nil) }
        end(.canceled, "")
    }

    func timedOut() {
        if cause == nil, report == nil {
            let used = UInt64(max(0, Clock.wallNanoseconds() - startedNanoseconds)) / 1_000_000
            append(LimitEvent.wall(limits, usedMilliseconds: used), number: nil)
        }
        end(.timeout, "the wall-clock limit of \(limits.wallMilliseconds) ms is over")
    }

    /// Begins to end the job: SIGTERM, the grace, SIGKILL; at once where there is no tool to be polite to. The
    /// first cause stands.
    func end(_ cause: EndCause, _ message: String, immediately: Bool = false) {
        guard self.cause == nil, report == nil else {
            if immediately, report == nil { server.send(.kill(token)) }
            return
        }
        (self.cause, self.message) = (cause, message)
        wallTimer?.cancel()
        guard phase == .running, !immediately else { return server.send(.kill(token)) }
        server.send(.signal(token, SIGTERM))
        // A stopped tool takes its SIGTERM only when it goes on.
        server.send(.signal(token, SIGCONT))
        graceTimer = keeper.loop.schedule(afterMilliseconds: limits.graceMilliseconds) { [weak self] in
            guard let self, report == nil else { return }
            server.send(.kill(token))
        }
    }

    // MARK: What the inner server says

    /// The job's namespace is empty.
    func exited(_ exit: JailExit) {
        var report = ExitReport(cause: cause ?? .exited)
        report.rawWaitStatus = exit.rawWaitStatus
        report.userMicroseconds = exit.userMicroseconds
        report.systemMicroseconds = exit.systemMicroseconds
        report.maxResidentKilobytes = exit.maxResidentKilobytes
        report.enforcedLayers = exit.layers.rawValue
        report.diskWrittenBytes = exit.diskWrittenBytes
        report.message = message
        noteLimits(exit, &report)
        if cause == nil, !exit.hasExecuted {
            report.cause = .launchFailed
            report.message = "it died before its tool was started"
        } else if cause == nil, exit.cause == .lost {
            report.message = "its first process was killed from outside; was the machine out of memory?"
        }
        finish(report)
    }

    /// It never ran, or its start broke off: nothing of it is alive.
    func failed(_ error: DomeError) {
        var report = ExitReport(cause: cause ?? .launchFailed)
        report.enforcedLayers = layers.rawValue
        report.message = cause == nil ? error.message : message
        finish(report)
    }

    /// Its inner server died, and it with it.
    func serverDied() {
        var report = ExitReport(cause: .keeperLost)
        report.enforcedLayers = layers.rawValue
        report.message = "its sandbox server died, and the job with it"
        isWorkLarge = true
        finish(report)
    }

    // MARK: The last things

    private func finish(_ report: ExitReport) {
        guard self.report == nil else { return }
        var report = report
        report.startedNanoseconds = startedNanoseconds
        report.endedNanoseconds = Clock.wallNanoseconds()
        report.hasOutput = work.map { RawFolder.mayHave(ExitReport.outputFolder, in: $0) } ?? false
        self.report = report
        if let cgroup { keeper.cgroups?.giveBack(cgroup) }
        cgroup = nil
        for timer in [wallTimer, graceTimer, diskTimer, standardOutput.idleTimer, standardError.idleTimer] {
            timer?.cancel()
        }
        diskTimer = nil
        unwatchPipes()
        if isAborted { return vanish() }
        // It came to nothing on its way to the gate. Whether that is ever told depends on domed: go or abort.
        guard mayRun else { return }
        drain(standardOutput)
        drain(standardError)
        if let reports {
            drain(reports.pipe)
            self.report = judged(report, by: reports)
        }
        writeEnd()
    }

    /// Nobody of the job holds the pipe any more, so what is in it is all. Somebody outside may (a descriptor
    /// given away over a granted socket): hence never wait for the end, and a bound.
    private func drain(_ pipe: CapturedPipe) {
        for _ in 0..<64 {
            guard case .some = readOnce(pipe) else { break }
        }
        pipe.close()
    }

    /// Writes what is left and the EXIT record; again and again while the disk is full, until its grace is over.
    func writeEnd() {
        guard let recorder, let report else { return }
        do throws(DomeError) {
            if isDiskGraceOver {
                recorder.giveUp()
                waitingEvents = []
            }
            try recorder.retry()
            guard appendWaiting() else { throw DomeError(.resourceExhausted, "the disk is full") }
            try recorder.finish()
            (waitingEvents, limitEvents) = (limitEvents.map { WaitingEvent(event: $0, number: nil) }, [])
            guard appendWaiting() || isDiskGraceOver else { throw DomeError(.resourceExhausted, "the disk is full") }
            try recorder.writer.appendExit(report)
        } catch {
            if diskFullSince == 0 {
                diskFullSince = Clock.monotonicNanoseconds()
                Log.error("keeper.journal_blocked", ["job": jobID.text, "error": error.description])
            }
            return retryLater { $0.writeEnd() }
        }
        giveUpWriting()
        phase = .exited
        Log.debug("keeper.job_exited", ["job": jobID.text, "cause": report.cause.name])
        sendExited()
    }

    /// Says that the job has exited, if it has.
    func sendExited() {
        guard phase == .exited, let report else { return }
        keeper.send(
            .exited(KeeperExit(report: report, head: head)), descriptors: work.map { [$0] } ?? [])
    }

    /// Leaves no trace in the journal, nor here.
    func vanish() {
        standardOutput.close()
        standardError.close()
        reports?.pipe.close()
        giveUpWriting()
        phase = .exited
        keeper.send(refusal.map { .refused(jobID, code: $0.code, message: $0.message) } ?? .aborted(jobID))
        keeper.forget(self)
    }
}
