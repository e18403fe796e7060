package import DomeAsync
package import DomeLink
package import DomeModel
internal import DomePlatform

/// All keepers that live, as generations: new jobs go to the newest, the others are asked to leave when they are
/// empty. Finds them at start, starts one when there is none, and notices when one is gone for good.
@Core
package final class KeeperPool {
    private let folder: String
    private let starter: KeeperStarter
    package private(set) var connections: [KeeperConnection] = []
    /// Set when every keeper that was found at start has said what it holds, or is gone. One that took the connection
    /// and says nothing (a disk that hangs, a debugger) may hold jobs that live.
    package let allHeard = OneShot<Bool>()
    /// How long the daemon's start waits for that.
    private static let hearingMilliseconds: UInt64 = 1_000
    /// How long a job waits for a keeper that is ready.
    private static let startNanoseconds: Int64 = 10_000_000_000
    /// The keeper for new jobs, once there is one.
    private var current = OneShot<KeeperConnection>()
    private var isStarting = false
    /// Never used twice in this daemon's life: what is tidied up after a dead keeper must not be a new one's.
    private var lastGeneration: UInt64 = 0
    private var consecutiveFailures = 0
    /// What stands in the way of a keeper, for status and refusals.
    package private(set) var problem: String?
    package var onEvent: @Core (KeeperConnection, KeeperEvent) -> Void = { _, _ in }
    /// A keeper's connection was made anew: the second takes the first one's place.
    package var onReconnected: @Core (KeeperConnection, KeeperConnection) -> Void = { _, _ in }
    /// No job of that keeper is alive any more, provably.
    package var onLost: @Core (KeeperConnection) -> Void = { _ in }

    /// - Parameter folder: of the keepers' sockets.
    package init(folder: String, starter: KeeperStarter) {
        self.folder = folder
        self.starter = starter
    }

    /// Connects to every keeper that answers, and waits until each has said which jobs it has; for those that do not,
    /// `allHeard` tells when they have.
    package func adopt() async throws(DomeError) {
        try Files.makeDirectories(folder)
        var silent: [KeeperConnection] = []
        for name in try Files.list(folder) where name.hasSuffix(".sock") {
            lastGeneration = max(lastGeneration, UInt64(name.dropLast(5)) ?? 0)
            let connection = makeConnection(folder + "/" + name)
            do throws(DomeError) {
                try connection.open()
            } catch {
                await tidyUp(after: connection)
                continue
            }
            switch await connection.listed.wait(milliseconds: Self.hearingMilliseconds) {
            case true?: connections.append(connection)
            case false? where record(of: connection).allSatisfy(\.isGone): await tidyUp(after: connection)
            case false?, nil:
                Log.warning("keeper.silent", ["socket": connection.socketPath])
                problem = "the keeper at \(connection.socketPath) does not answer; its jobs wait for it"
                silent.append(connection)
            }
        }
        connections.sort { $0.generation < $1.generation }
        let isSame = { (connection: KeeperConnection) in
            Files.isSameFile("/proc/\(connection.hello?.processID ?? 0)/exe", self.starter.program)
        }
        for connection in connections where !connection.isRetired {
            if connection === connections.last, isSame(connection) {
                current.set(connection)
            } else {
                connection.send(.retire)
            }
        }
        guard !silent.isEmpty else {
            allHeard.set(true)
            return
        }
        Core.task { [silent, self] in await hear(silent) }
    }

    /// Waits for keepers that did not answer in time. New jobs have gone elsewhere meanwhile.
    private func hear(_ silent: [KeeperConnection]) async {
        for first in silent {
            guard let connection = await answering(first) else {
                await tidyUp(after: first)
                continue
            }
            connections.append(connection)
            if !connection.isRetired { connection.send(.retire) }
        }
        problem = nil
        allHeard.set(true)
    }

    /// The connection on which a keeper has said what it holds; nil when nothing of it is left that could. One that
    /// hangs up instead, and lives, is called again.
    private func answering(_ first: KeeperConnection) async -> KeeperConnection? {
        let processes = record(of: first)
        var connection = first
        var pause: UInt64 = 5
        while await !connection.listed.wait() {
            guard !processes.allSatisfy(\.isGone) else { return nil }
            await Core.sleep(milliseconds: pause)
            pause = min(2 * pause, 1_000)
            let again = makeConnection(first.socketPath)
            if (try? again.open()) != nil { connection = again }
        }
        return connection
    }

    private func tidyUp(after connection: KeeperConnection) async {
        await waitUntilGone(record(of: connection))
        forget(connection.socketPath)
    }

    /// The keeper for a new job, started if need be; a job waits for its sandbox to be probed, and for the next
    /// keeper when this one goes away meanwhile. E_INTERNAL with the reason when there is none after 10 s,
    /// E_POLICY_DENIED when the sandbox cannot be enforced.
    package func usable(for network: NetworkMode) async throws(DomeError) -> KeeperConnection {
        let deadline = Clock.monotonicNanoseconds() + Self.startNanoseconds
        while true {
            if let refusal = refusal(for: network) { throw refusal }
            if let keeper = current.value, keeper.isOpen, keeper.innerServers[network == .full]?.state == .ready {
                return keeper
            }
            guard Clock.monotonicNanoseconds() < deadline else { throw noKeeper }
            ensureStarted()
            if current.value == nil {
                // A start that failed is tried again meanwhile.
                let left = max(1, (deadline - Clock.monotonicNanoseconds()) / 1_000_000)
                _ = await current.wait(milliseconds: UInt64(min(left, 200)))
            } else {
                await Core.sleep(milliseconds: 5)
            }
        }
    }

    /// E_POLICY_DENIED with the missing layer and the remedy when it is known that no sandbox can be had.
    package func refusal(for network: NetworkMode) -> DomeError? {
        guard let keeper = current.value, keeper.isOpen, let server = keeper.innerServers[network == .full],
            server.state == .unusable
        else { return nil }
        return DomeError(.policyDenied, "the sandbox cannot be enforced: \(server.message)")
    }

    /// The inner server that a job would get now; nil if it would have to wait for one.
    package func readyServer(for network: NetworkMode) -> KeeperInnerServer? {
        guard let keeper = current.value, keeper.isOpen, let server = keeper.innerServers[network == .full],
            server.state == .ready
        else { return nil }
        return server
    }

    private var noKeeper: DomeError {
        let reason = current.value == nil ? "it did not start in time" : "its sandbox server did not become ready"
        return DomeError(.internal, "no keeper: \(problem ?? reason); see the daemon's log")
    }

    /// Begins to start a keeper unless there is one or one is on its way.
    package func ensureStarted() {
        if let keeper = current.value, keeper.isOpen { return }
        guard !isStarting else { return }
        isStarting = true
        if current.value != nil { current = OneShot() }
        Core.task { [self] in
            await startKeeper()
            isStarting = false
        }
    }

    private func startKeeper() async {
        let generation = max(lastGeneration, connections.map(\.generation).max() ?? 0) + 1
        lastGeneration = generation
        let path = "\(folder)/\(generation).sock"
        do throws(DomeError) {
            forget(path)
            let process = try starter.start(socketPath: path, generation: generation)
            defer { starter.tidy(generation: generation) }
            try process.whenEnded(on: Core.loop) {}
            Log.info("keeper.started", ["generation": String(generation), "pid": String(process.processID)])
            try await connect(path, process, generation)
            problem = nil
            consecutiveFailures = 0
        } catch {
            consecutiveFailures += 1
            problem = error.message
            Log.error("keeper.start_failed", ["error": error.description])
            await Core.sleep(milliseconds: min(10_000, 100 << UInt64(min(consecutiveFailures, 6))))
        }
    }

    private func connect(
        _ path: String, _ process: ProcessHandle, _ generation: UInt64
    ) async throws(DomeError) {
        let connection = makeConnection(path)
        let deadline = Clock.monotonicNanoseconds() + 5_000_000_000
        while true {
            // Asked first: a service manager's client ends when the keeper is ready.
            let hasEnded = process.hasEnded
            do throws(DomeError) {
                try connection.open()
                break
            } catch {
                guard !hasEnded else {
                    throw DomeError(.internal, starter.failure(generation), cause: error.message)
                }
                guard Clock.monotonicNanoseconds() < deadline else { throw error }
                await Core.sleep(milliseconds: 2)
            }
        }
        guard await connection.listed.wait(milliseconds: 5_000) == true else {
            throw DomeError(.internal, "the new keeper does not answer")
        }
        connections.append(connection)
        offer(connection)
    }

    /// Makes it the keeper for new jobs, unless there is one by now: then it may leave when it is empty.
    private func offer(_ connection: KeeperConnection) {
        guard !connection.isRetired, !current.set(connection) else { return }
        connection.send(.retire)
    }

    private func makeConnection(_ path: String) -> KeeperConnection {
        KeeperConnection(
            socketPath: path,
            onEvent: { [weak self] connection, event in
                if case .disconnected = event { self?.disconnected(connection) }
                self?.onEvent(connection, event)
            },
            onServersChanged: { [weak self] connection in self?.writeRecord(connection) })
    }

    /// A connection ended. If the keeper still listens it is taken up again; if not, its jobs are lost, but only
    /// when its inner servers are gone too: the end of a socket comes milliseconds before the end of the jobs.
    private func disconnected(_ connection: KeeperConnection) {
        guard let index = connections.firstIndex(where: { $0 === connection }) else { return }
        connections.remove(at: index)
        if current.value === connection { current = OneShot() }
        Core.task { [self] in
            repeat {
                let again = makeConnection(connection.socketPath)
                if (try? again.open()) != nil, await again.listed.wait(milliseconds: 5_000) == true {
                    connections.append(again)
                    onReconnected(connection, again)
                    offer(again)
                    return
                }
                await Core.sleep(milliseconds: 2)
            } while connection.innerProcesses.values.contains { !$0.hasEnded }
            forget(connection.socketPath)
            onLost(connection)
            if current.value == nil { ensureStarted() }
        }
    }
}
