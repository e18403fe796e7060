import DomeAsync
import DomeCatalog
import DomeEngine
import DomeModel
import DomePlatform
import DomeServer
import DomeStore
import DomeTransport
import Glibc

/// The parts of domed, put together; which knows which is said here and nowhere else.
@Core
final class Daemon {
    nonisolated static let version = DomeVersion.text
    private static let drainMilliseconds: UInt64 = 2_000

    private let directories: Directories
    private let socketPath: String
    private let store: Store
    private let engine: Engine
    private let service: DomedService
    private let server: GRPCServer
    private var metrics: MetricsServer?
    private let configuration: Configuration
    private let lock: InstanceLock
    private var listener: FileDescriptor
    /// What this daemon bound at the path; nil for a socket that systemd made: its path is systemd's, and stays.
    private var boundPath: PathIdentity?
    private let tcp: TCPAccess?
    private var tcpListener: FileDescriptor?
    private var isLeaving = false
    /// What the command line says about the log, the settings do not change.
    private let isLogFixed: (level: Bool, format: Bool)

    init(_ options: Options, _ directories: Directories, _ lock: InstanceLock) throws(DomeError) {
        self.directories = directories
        self.lock = lock
        tcp = options.tcpAddress.map { address in
            let tokenFile = options.tcpTokenFile ?? directories.state + "/tcp-token"
            return TCPAccess(address: address, tokenFile: options.isTCPOpenToAll ? nil : tokenFile)
        }
        socketPath = options.socketPath ?? directories.socketPath
        configuration = try Configuration(path: directories.config + "/config.json")
        isLogFixed = (options.logLevel != nil, options.logFormat != nil)
        Self.adopt(configuration, unless: isLogFixed)
        let passed = Systemd.listenDescriptors()
        if let first = passed.first {
            listener = first
            try first.setNonblocking(true)
        } else {
            listener = try UnixListener.bind(path: socketPath)
            boundPath = PathIdentity(socketPath)
        }
        let auditExecutor = try LoopExecutor.onNewThread(named: "dome-audit")
        let keys = try KeyRing(folder: directories.state + "/keys", executor: auditExecutor)
        var options = StoreOptions()
        options.auditSigner = keys.firstSigner
        options.auditAnchorPath = directories.auditAnchorPath
        store = try Store(path: directories.databasePath, options: options)
        let auditReader = AuditReader(path: directories.databasePath, executor: auditExecutor)
        engine = try Self.makeEngine(configuration, directories, store, keys, auditReader)
        let identity = ServerIdentity(
            version: Self.version, minimumClientVersion: "0.1.0", endpoint: "unix://" + socketPath,
            stateDirectory: directories.state, processID: getpid())
        service = DomedService(
            engine: engine, streamsExecutor: try LoopExecutor.onNewThread(named: "dome-streams"), identity: identity)
        var limits = TransportLimits()
        limits.maxMessageBytes = Int(clamping: configuration.maxMessageBytes)
        server = GRPCServer(loop: Core.loop, limits: limits, methods: service.methodTable())
    }

    private static func makeEngine(
        _ configuration: Configuration, _ directories: Directories, _ store: Store, _ keys: KeyRing,
        _ auditReader: AuditReader
    ) throws(DomeError) -> Engine {
        let programs = try Directories.ofExecutable()
        let places = PluginPlaces(directories, programs: programs)
        func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
        return Engine(
            configuration: configuration, directories: directories,
            catalog: Catalog(
                searchPath: Catalog.searchPath(
                    directories: directories, executableDirectory: programs,
                    registryPath: variable("DOME_REGISTRY_PATH"))),
            store: store, keys: keys, auditReader: auditReader,
            files: JobFiles(
                executor: try LoopExecutor.onNewThread(named: "dome-files"), jobsPath: directories.jobsPath,
                sparesPath: directories.state + "/spare", contentPath: directories.contentPath),
            facts: FactsReader(executor: try LoopExecutor.onNewThread(named: "dome-facts")),
            rules: RulesReader(executor: try LoopExecutor.onNewThread(named: "dome-rules")),
            keepers: KeeperPool(
                folder: directories.state + "/keepers",
                starter: KeeperStarter(
                    program: programs + "/domed-keeper", jobsPath: directories.jobsPath,
                    extraArguments: [
                        "--disk-full-grace-ms", "\(min(configuration.diskFullGraceSeconds, 1 << 32) * 1_000)",
                        "--cgroup", try cgroup(variable("DOME_CGROUP")),
                    ],
                    unit: try keeperUnit(variable("DOME_KEEPER_UNIT"), directories))),
            plugins: try places.registry(), healthCheck: try places.healthCheck(), workerPath: places.workerPath,
            makeWorker: places.worker,
            version: version)
    }

    /// The template that the unit of a domed that is a service names; others start their keepers themselves.
    private static func keeperUnit(
        _ template: String?, _ directories: Directories
    ) throws(DomeError) -> KeeperStarter.Unit? {
        guard let template, !template.isEmpty else { return nil }
        return try KeeperStarter.Unit(template: template, runtimeFolder: directories.runtime)
    }

    /// Where the keepers that domed starts make their jobs' control groups.
    private static func cgroup(_ text: String?) throws(DomeError) -> String {
        guard let text, !text.isEmpty else { return "own" }
        guard text == "own" || text == "none" || text.hasPrefix("/") else {
            throw DomeError(.invalidRequest, "DOME_CGROUP must be own, none or an absolute path, not '\(text)'")
        }
        return text
    }

    /// Recovers, then serves. Clients that connect meanwhile wait in the socket's backlog.
    func start() async throws(DomeError) {
        try await engine.recover()
        try server.add(listener: listener) { socket throws(DomeError) in try UnixListener.admit(socket) }
        tcpListener = try tcp?.open(server)
        try serveMetrics()
        Systemd.notify("READY=1")
        Log.info("daemon.ready", ["socket": socketPath, "state": directories.state, "version": Self.version])
        engine.keepHouse()
        Core.task { [self] in await reassureServiceManager() }
        await watchSocket()
    }

    private func serveMetrics() throws(DomeError) {
        let metrics = MetricsServer { [self] in
            engine.metricsText(
                MetricsSurroundings(
                    followers: service.followerCount, calls: server.callCount, stage: directories.stage.rawValue))
        }
        self.metrics = metrics
        if configuration.hasMetrics {
            do throws(DomeError) { try metrics.serve(path: metricsPath) } catch {
                // Jobs do not wait for who counts them.
                Log.warning("metrics.not_served", ["path": metricsPath, "error": error.description])
            }
        }
        guard !configuration.metricsAddress.isEmpty else { return }
        let port = try metrics.serve(address: configuration.metricsAddress)
        Log.info("metrics.listening", ["address": configuration.metricsAddress, "port": "\(port)"])
    }

    /// Beside the socket that it serves.
    private var metricsPath: String {
        String(socketPath.dropLast(socketPath.hasSuffix(".sock") ? 5 : 0)) + "-metrics.sock"
    }

    /// As often as sd_watchdog_enabled(3) asks for: from this thread, whose standstill is what it is to notice.
    private func reassureServiceManager() async {
        guard let interval = Systemd.watchdogMilliseconds else { return }
        while !isLeaving {
            Systemd.notify("WATCHDOG=1")
            await Core.sleep(milliseconds: interval / 3)
        }
    }

    /// Logging out removes the runtime folder with the socket in it; a daemon that lives on binds it again.
    private func watchSocket() async {
        while !isLeaving {
            await Core.sleep(milliseconds: 2_000)
            guard !isLeaving, !Files.exists(socketPath) else { continue }
            do throws(DomeError) {
                listener = try UnixListener.bind(path: socketPath)
                boundPath = PathIdentity(socketPath)
                try server.add(listener: listener) { socket throws(DomeError) in try UnixListener.admit(socket) }
                Log.info("socket.bound_again", ["socket": socketPath])
            } catch {
                Log.debug("socket.not_bound", ["error": error.description])
            }
        }
    }

    /// Reads the settings again, as SIGHUP asks for; the service manager is told, as it is of a start.
    func reload() {
        guard !isLeaving else { return }
        Systemd.notify("RELOADING=1\nMONOTONIC_USEC=\(Clock.monotonicNanoseconds() / 1000)")
        Core.task { [self] in
            if let configuration = await engine.reloadConfiguration() { Self.adopt(configuration, unless: isLogFixed) }
            Systemd.notify("READY=1")
        }
    }

    private static func adopt(_ configuration: Configuration, unless isFixed: (level: Bool, format: Bool)) {
        if !isFixed.level, let level = Log.Level(name: configuration.logLevel) { Log.setLevel(level) }
        if !isFixed.format { Log.setFormat(named: configuration.logFormat) }
    }

    /// Drains: calls in flight are answered, followers are told to come back, jobs go on in the keeper.
    func leave() {
        guard !isLeaving else { return }
        isLeaving = true
        Systemd.notify("STOPPING=1")
        Log.info("daemon.draining", ["calls": String(server.callCount)])
        metrics?.close()
        unlink(metricsPath)
        engine.drain()
        service.dismissFollowers()
        server.drain(deadlineMilliseconds: Self.drainMilliseconds) { [self] in
            Core.assumeIsolated { closeSoon() }
        }
    }

    private func closeSoon() { Core.task { [self] in await close() } }

    private func close() async {
        do throws(DomeError) {
            try await engine.audit(.daemonStop)
            await engine.closeAudit()
            try await store.close()
        } catch {
            Log.error("daemon.close_failed", ["error": error.description])
        }
        // It may be another's by now: a service manager that was told to serve binds the path anew.
        if let boundPath, boundPath == PathIdentity(socketPath) { unlink(socketPath) }
        Log.info("daemon.stopped")
        Core.loop.stop()
    }
}
