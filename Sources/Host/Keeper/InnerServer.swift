import DomeJail
import DomeLink
import DomeModel
import DomePlatform
import Glibc

/// One inner server as the keeper sees it: started, probed, asked for jobs, replaced when it dies. A new one is
/// started only when the old one's pidfd says that none of its jobs is alive.
final class InnerServer {
    let hasHostNetwork: Bool
    private(set) var state = KeeperInnerServer.State.starting
    private(set) var layers: EnforcedLayers = []
    private(set) var message = ""
    /// What every job of it must have around it, and what one that may make Unix sockets.
    private let required: (ordinary: EnforcedLayers, withSockets: EnforcedLayers)
    private unowned let keeper: Keeper
    private var server: JailServer?
    private var reading: EventLoop.Registration?
    private var writing: EventLoop.Registration?
    private var watching: EventLoop.Registration?
    /// Its jobs by token.
    private var jobs: [UInt64: JobRun] = [:]
    private var probeToken: UInt64 = 0
    private var systemPaths: [String] = []
    private var probeGroup: JobCgroup?
    private var startedNanoseconds: Int64 = 0
    /// What the socket did not take, or came while no server lived.
    private var waiting: [Command] = []

    enum Command {
        case start(UInt64, JailSpec, JailServer.Descriptors)
        case signal(UInt64, Int32)
        case kill(UInt64)

        var token: UInt64 {
            switch self {
            case .start(let token, _, _), .signal(let token, _), .kill(let token): token
            }
        }
    }

    init(_ keeper: Keeper, hasHostNetwork: Bool) {
        (self.keeper, self.hasHostNetwork) = (keeper, hasHostNetwork)
        func layers(_ allowsUnixSockets: Bool) -> EnforcedLayers {
            .required(
                hasHostNetwork: hasHostNetwork, isRoot: JailServer.isPrivileged, allowsUnixSockets: allowsUnixSockets,
                hasCgroups: keeper.cgroups != nil)
        }
        required = (layers(false), layers(true))
    }

    /// What a job must have around it to pass its gate.
    func requiredLayers(allowsUnixSockets: Bool) -> EnforcedLayers {
        allowsUnixSockets ? required.withSockets : required.ordinary
    }

    /// Which of the `required` layers a job with these `layers` lacks and what to do about it, or nil.
    static func complaint(_ required: EnforcedLayers, _ layers: EnforcedLayers) -> String? {
        SandboxLayers.complaint(missing: required.subtracting(layers).rawValue)
    }

    // MARK: Life

    /// Starts it, or refuses every job for `problem`.
    func start(unless problem: String? = nil) {
        if let problem { return becomeUnusable(problem) }
        state = .starting
        startedNanoseconds = Clock.monotonicNanoseconds()
        do throws(DomeError) {
            var configuration = JailServer.Configuration()
            configuration.hasHostNetwork = hasHostNetwork
            systemPaths = JailServer.systemPaths(configuration)
            if let program = keeper.jailProgram { configuration.binary = "/proc/self/fd/\(program.number)" }
            // The keeper has one thread, so the parent-death signal is bound to the keeper itself.
            configuration.diesWithThread = true
            let server = try JailServer(configuration)
            self.server = server
            reading = try keeper.loop.register(server.replies, interest: .readable) { [weak self] _ in self?.receive() }
            watching = try keeper.loop.register(server.pidfd, interest: .readable) { [weak self] _ in self?.died() }
            probe()
            flush()
        } catch {
            becomeUnusable(error.message)
        }
    }

    /// Runs `true` through the full profile, as the first job.
    private func probe() {
        var plan = LaunchPlan(jobID: .make(), arguments: ["/bin/true"], environment: ["PATH=/usr/bin:/bin"])
        plan.limits.diskBytes = 1 << 20
        probeToken = keeper.makeToken()
        do throws(DomeError) {
            var descriptors = JailServer.Descriptors()
            descriptors.standardInput = keeper.devNull
            descriptors.standardOutput = keeper.devNull
            descriptors.standardError = keeper.devNull
            probeGroup = try keeper.cgroups?.take(CgroupLimits(plan.limits))
            descriptors.cgroup = probeGroup?.directory
            let spec = try JailSpec(plan, requiredLayers: probeGroup == nil ? [] : .cgroup)
            waiting.insert(.start(probeToken, spec, descriptors), at: 0)
        } catch {
            becomeUnusable(error.message)
        }
    }

    /// Its group is to be removed whatever became of it.
    private func endProbe() {
        if let probeGroup { keeper.cgroups?.giveBack(probeGroup) }
        probeGroup = nil
    }

    private func probed(_ exit: JailExit) {
        endProbe()
        guard state == .starting else { return }
        layers = exit.layers
        if let missing = Self.complaint(required.ordinary, exit.layers) {
            becomeUnusable(missing)
        } else if exit.rawWaitStatus != 0 || !exit.hasExecuted {
            becomeUnusable("`true` ended with wait status \(exit.rawWaitStatus) in the jail")
        } else {
            state = .ready
            if !keeper.cgroupProblem.isEmpty { message = "jobs have no control groups: \(keeper.cgroupProblem)" }
            Log.info("keeper.jail_ready", ["network": networkName, "layers": layers.layerNames.joined(separator: ",")])
            announce()
        }
    }

    private func becomeUnusable(_ reason: String) {
        endProbe()
        (state, message) = (.unusable, reason)
        Log.error("keeper.jail_unusable", ["network": networkName, "reason": reason])
        announce()
        let unread = unreadStarts
        waiting = []
        for (token, job) in jobs {
            if unread.contains(token) {
                jobs[token] = nil
                job.failed(DomeError(.policyDenied, "the sandbox cannot be enforced: \(reason)"))
            } else {
                // It was faster than the probe; its end comes as every job's does.
                job.endUnenforced(reason)
            }
        }
    }

    /// The jobs whose start the server has not been told.
    private var unreadStarts: Set<UInt64> {
        Set(waiting.compactMap { if case .start(let token, _, _) = $0 { token } else { nil } })
    }

    private var networkName: String { hasHostNetwork ? "full" : "none" }

    func announce() {
        var status = KeeperInnerServer(
            hasHostNetwork: hasHostNetwork, state: state, processID: server?.processID ?? 0, layers: layers.rawValue,
            message: message)
        status.requiredLayers = required.ordinary.rawValue
        status.requiredLayersWithSockets = required.withSockets.rawValue
        status.jobUserID = JailServer.jobUserID
        status.systemPaths = systemPaths
        keeper.send(.innerServer(status), descriptors: server.map { [$0.pidfd] } ?? [])
    }

    /// The pidfd is readable: the server and every job of it are dead.
    private func died() {
        guard let server else { return }
        receive()
        reading?.cancel()
        writing?.cancel()
        writing = nil
        watching?.cancel()
        while waitpid(server.processID, nil, 0) < 0, errno == EINTR {}
        let wasUnusable = state == .unusable
        if !wasUnusable { state = .dead }
        announce()
        self.server = nil
        Log.error("keeper.jail_died", ["network": networkName, "jobs": "\(jobs.count)"])
        // What it was never told is the next one's.
        let unread = unreadStarts.subtracting([probeToken])
        waiting.removeAll { !unread.contains($0.token) }
        let lost = jobs.filter { !unread.contains($0.key) }
        for token in lost.keys { jobs[token] = nil }
        for job in lost.values { job.serverDied() }
        endProbe()
        guard !wasUnusable else { return }
        // One that dies young is not started in a tight loop.
        let lived = Clock.monotonicNanoseconds() - startedNanoseconds
        keeper.loop.schedule(afterMilliseconds: lived < 1_000_000_000 ? 1_000 : 0) { [weak self] in self?.start() }
    }

    // MARK: Jobs

    func start(_ job: JobRun, _ spec: JailSpec, _ descriptors: JailServer.Descriptors) {
        jobs[job.token] = job
        send(.start(job.token, spec, descriptors))
    }

    func send(_ command: Command) {
        guard waiting.isEmpty, server != nil else { return waiting.append(command) }
        guard !transmit(command) else { return }
        waiting.append(command)
        awaitRoom()
    }

    private func flush() {
        var sent = 0
        while sent < waiting.count, transmit(waiting[sent]) { sent += 1 }
        waiting.removeFirst(sent)
        if waiting.isEmpty {
            writing?.cancel()
            writing = nil
        } else {
            awaitRoom()
        }
    }

    /// The socket is watched only while it is full: a dead server's would never rest.
    private func awaitRoom() {
        guard writing == nil, let server else { return }
        do throws(DomeError) {
            writing = try keeper.loop.register(server.socket, interest: .writable) { [weak self] _ in self?.flush() }
        } catch {
            becomeUnusable(error.message)
        }
    }

    /// False: the socket is full.
    private func transmit(_ command: Command) -> Bool {
        guard let server else { return false }
        do throws(DomeError) {
            switch command {
            case .start(let token, let spec, let descriptors):
                return try server.start(token: token, spec, descriptors)
            case .signal(let token, let number): return try server.signal(number, token: token)
            case .kill(let token): return try server.kill(token: token)
            }
        } catch {
            // Dead: its pidfd will say so, and a start it did not get is the next one's.
            if kill(server.processID, 0) != 0 || error.cause == "errno \(EPIPE)" { return false }
            Log.warning("keeper.jail_send_failed", ["network": networkName, "error": error.description])
            if case .start(let token, _, _) = command { jobs.removeValue(forKey: token)?.failed(error) }
            return true
        }
    }

    private func receive() {
        guard let server else { return }
        do throws(DomeError) {
            while true {
                switch try server.receive() {
                case .reply(let reply): take(reply)
                case .nothing: return
                case .closed:
                    reading?.cancel()
                    return
                }
            }
        } catch {
            Log.error("keeper.jail_receive_failed", ["network": networkName, "error": error.description])
            kill(server.processID, SIGKILL)
        }
    }

    private func take(_ reply: JailReply) {
        switch reply {
        case .ready: break
        case .unusable(let failure): becomeUnusable(failure.error.message)
        case .prepared(let token, let layers, let work): jobs[token]?.prepared(layers, work)
        case .executed(let token, let wallNanoseconds): jobs[token]?.executed(at: wallNanoseconds)
        case .failed(probeToken, let failure): becomeUnusable(failure.error.message)
        case .failed(let token, let failure): jobs.removeValue(forKey: token)?.failed(failure.error)
        case .exited(probeToken, let exit): probed(exit)
        case .exited(let token, let exit): jobs.removeValue(forKey: token)?.exited(exit)
        }
    }
}
