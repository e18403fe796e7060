import DomeJail
import DomeJournal
import DomeLink
import DomeModel
import DomePlatform
import Glibc

/// From launch to the running tool.
extension JobRun {
    /// Makes the pipes and asks the inner server. A failure ends the job as `launchFailed`.
    func start(_ plan: LaunchPlan) {
        do throws(DomeError) {
            requiredLayers = server.requiredLayers(allowsUnixSockets: plan.allowsUnixSockets)
            let spec = try JailSpec(plan, requiredLayers: requiredLayers)
            var descriptors = JailServer.Descriptors()
            if !mayRun { gate = try JailGate() }
            descriptors.gate = gate
            if plan.usesTerminal {
                let terminal = try PseudoTerminal()
                try terminal.controller.setNonblocking(true)
                standardOutput.descriptor = terminal.controller
                descriptors.terminal = terminal.subordinate
                descriptors.standardInput = terminal.subordinate
                descriptors.standardOutput = terminal.subordinate
                descriptors.standardError = terminal.subordinate
                if case .bytes(let bytes) = plan.standardInput { terminalInput = TerminalInput(bytes) }
            } else {
                descriptors.standardInput = try standardInput(plan)
                descriptors.standardOutput = try standardOutput.open()
                descriptors.standardError = try standardError.open()
            }
            if let reports { descriptors.progress = try reports.pipe.open() }
            if keeper.cgroups == nil, let refusal = plan.limits.refusalWithoutCgroup {
                throw DomeError(.policyDenied, refusal)
            }
            cgroup = try keeper.cgroups?.take(CgroupLimits(plan.limits))
            descriptors.cgroup = cgroup?.directory
            server.start(self, spec, descriptors)
        } catch {
            failed(error)
        }
    }

    /// Bytes come as sealed memory, so nobody has to feed them.
    private func standardInput(_ plan: LaunchPlan) throws(DomeError) -> FileDescriptor {
        guard case .bytes(let bytes) = plan.standardInput else { return keeper.devNull }
        return try bytes.withBytes { raw throws(DomeError) in try SealedMemory.make(named: "stdin", raw) }
    }

    /// Everything but exec is done (or even exec, when domed had opened the gate already). The jail has checked its
    /// layers itself; this is the second look.
    func prepared(_ layers: EnforcedLayers, _ work: FileDescriptor?) {
        (self.layers, self.work) = (layers, work)
        if isAborted { return }
        if let missing = InnerServer.complaint(requiredLayers, layers) { return endUnenforced(missing) }
        if phase == .preparing { phase = .gated }
        // Who has said GO already hears of the start, and of no gate.
        if !mayRun { keeper.send(.prepared(jobID)) }
    }

    /// domed has committed the job, and the journal is ours.
    func go() {
        guard !mayRun, !isAborted, phase == .preparing || phase == .gated else { return }
        do throws(DomeError) { try openJournal() } catch {
            Log.warning("keeper.launch_refused", ["job": jobID.text, "error": error.description])
            refusal = error
            return abort()
        }
        mayRun = true
        appendWaiting()
        if report != nil { return writeEnd() }
        // Also for a job on its way to the gate: it finds it open.
        if cause == nil { openGate() }
    }

    private func openGate() {
        do throws(DomeError) { try gate?.open() } catch {
            (cause, message) = (.launchFailed, error.message)
            server.send(.kill(token))
        }
        gate = nil
    }

    /// domed has thrown the job away before it ran.
    func abort() {
        guard !mayRun, !isAborted, phase != .exited else { return }
        isAborted = true
        if report != nil { vanish() } else { server.send(.kill(token)) }
    }

    /// The jail is not what it should be: the job must not go on in it.
    func endUnenforced(_ reason: String) {
        guard cause == nil, report == nil else { return }
        (cause, message) = (.launchFailed, "the sandbox cannot be enforced: \(reason)")
        server.send(.kill(token))
    }

    /// The tool runs. Its output is read only from now on, so the running event comes first.
    ///
    /// - Parameter wallNanoseconds: when its PID 1 saw it begin; never later than now.
    func executed(at wallNanoseconds: Int64) {
        guard phase != .exited, report == nil else { return }
        phase = .running
        startedNanoseconds = min(max(wallNanoseconds, launchedNanoseconds), Clock.wallNanoseconds())
        if let runningEvent { append(runningEvent, number: nil, wallNanoseconds: startedNanoseconds) }
        keeper.send(.started(jobID, startedNanoseconds: startedNanoseconds, seq: runningSeq))
        if cause == nil {
            wallTimer = keeper.loop.schedule(afterMilliseconds: limits.wallMilliseconds) { [weak self] in
                self?.timedOut()
            }
        }
        if waitingEvents.isEmpty { watchPipes() }
    }
}
