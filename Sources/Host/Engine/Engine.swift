// Room Engine: what happens to a job. A request comes in as a value, is checked against the catalog and the
// policy, admitted in one transaction, turned into a launch plan by its executor, started by a keeper,
// followed by its journal, finished in one transaction. The files read in that order: SubmitRequest,
// Engine+Admission, Engine+Dispatch, Engine+Finish; Engine+Recovery repeats them after a restart.

package import DomeAsync
package import DomeCatalog
internal import DomeLink
internal import DomeModel
package import DomePlatform
package import DomeStore

/// What happens to jobs, from request to record. Isolated to the core; everything that blocks is somewhere else.
@Core
package final class Engine {
    /// `reconfigure` replaces it.
    var configuration: Configuration
    /// What those keys had at the start that need another one to change.
    let startConfiguration: Configuration
    /// What is wrong with the settings as they are on the disk, or waits for a restart; nil: nothing.
    var configurationRemark: String?
    let directories: Directories
    let catalog: Catalog
    let store: Store
    let files: JobFiles
    let facts: FactsReader
    let rules: RulesReader
    let policy: PolicyCache
    let programs = KnownPrograms()
    let requirements: RequirementCheck
    let pins: ToolPins
    /// Of those that jobs left.
    let verifiedFiles = VerifiedFiles()
    /// When the registry was last looked at, and what git last said, by folder.
    var catalogCheckedNanoseconds: Int64 = 0
    let keys: KeyRing
    let auditReader: AuditReader
    let auditObservers: AuditObservers
    let pendingAudit: PendingAudit
    let keepers: KeeperPool
    let plugins: PluginRegistry
    let healthCheck: PluginHealthCheck
    /// Makes the worker of an executor plugin.
    let makeWorker: @Core (PluginRecord) -> ExecutorWorker
    /// The programs of plugins that are ready and executors, by id, with what they were started for.
    var workers: [String: (worker: ExecutorWorker, identity: PluginRecord.Identity)] = [:]
    /// domed-worker as the jail mounts it.
    let workerMount: Mount
    let version: String
    package let hub = EventHub()
    let metrics = Metrics()

    /// Jobs that have not ended, running or waiting.
    var live: [JobID: LiveJob] = [:]
    /// Ids sort by age: what sorts before this one was made by an earlier life of the daemon.
    let firstID = JobID.make(shard: nil)
    /// Jobs that have ended, which their keepers still hold.
    var endedJobs: [LiveJob] = []
    var queue = RunQueue()
    var spareTimes = SpareTimes()
    /// Places in the queue for jobs whose admission is on its way to the disk.
    var queuePlacesPromised = 0
    /// Places taken: jobs that run, or are being prepared to.
    var placesTaken = 0
    /// Set when the daemon is leaving: nothing new is started.
    package private(set) var isDraining = false
    /// Whether the keepers of the last daemon went with the session that it ran in; until they have all been heard of or
    /// given up.
    var hasSessionEnded = false
    let startedNanoseconds = Clock.wallNanoseconds()
    var hostFacts = OneShot<HostFacts>()
    /// What was asked of the thread of facts did not come in time, and nothing has come since.
    var factsAreLate = false
    /// What the audit log and those who watch know: the registry, and the plugins' libraries by id.
    var recordedRules: (tools: CatalogSnapshot, plugins: [String: String])?
    /// Called when tools came, went or changed.
    var toolObservers: [ObjectIdentifier: @Core () -> Void] = [:]
    /// Of the registry's folders.
    var registryWatch: EventLoop.Registration?

    package init(
        configuration: Configuration, directories: Directories, catalog: Catalog, store: Store, keys: KeyRing,
        auditReader: AuditReader, files: JobFiles, facts: FactsReader, rules: RulesReader, keepers: KeeperPool,
        plugins: PluginRegistry, healthCheck: PluginHealthCheck, workerPath: String,
        makeWorker: @escaping @Core (PluginRecord) -> ExecutorWorker, version: String
    ) {
        self.configuration = configuration
        startConfiguration = configuration
        self.directories = directories
        self.catalog = catalog
        self.store = store
        self.keys = keys
        self.auditReader = auditReader
        auditObservers = AuditObservers(store)
        pendingAudit = PendingAudit(store)
        self.files = files
        self.facts = facts
        self.rules = rules
        requirements = RequirementCheck(rules)
        pins = ToolPins(directories, catalog, rules, version: version)
        policy = PolicyCache(directories)
        self.keepers = keepers
        self.plugins = plugins
        self.healthCheck = healthCheck
        workerMount = ConfinedLaunch.workerMount(workerPath)
        self.makeWorker = makeWorker
        self.version = version
        policy.onChange = { [weak self] before, now in self?.notePolicyChange(before, now) }
        pins.onDrift = { [weak self] tool, differences in self?.noteDrift(tool, differences) }
        keepers.onEvent = { [weak self] connection, event in self?.take(event, from: connection) }
        keepers.onReconnected = { [weak self] old, new in self?.reconnected(old, new) }
        keepers.onLost = { [weak self] connection in self?.lost(connection) }
    }

    /// Stops starting jobs; those that run go on without this daemon.
    package func drain() {
        isDraining = true
        releaseEnded()
    }

    /// How the daemon is.
    package func status() -> EngineReport {
        let servers = keepers.connections.flatMap { $0.innerServers.values }
        let report = JSONValue.array(
            servers.map { server in
                [
                    "network": .string(server.hasHostNetwork ? "full" : "none"),
                    "state": .string("\(server.state)"), "message": .string(server.message),
                    "layers": .array(SandboxLayers.names(of: server.layers).map { .string($0) }),
                ]
            })
        var problems =
            auditProblems + pluginProblems + catalog.snapshot.problems.map { "tool left out: \($0.path): \($0.reason)" }
        problems += pins.problems(catalog.snapshot)
        if let problem = SessionMark.lingerProblem { problems.append(problem) }
        if let configurationRemark { problems.append("configuration: \(configurationRemark)") }
        if let problem = keepers.problem { problems.append("keeper: \(problem)") }
        return EngineReport(
            startedNanoseconds: startedNanoseconds, queued: queue.count,
            running: live.values.count { $0.state == .running },
            keepers: keepers.connections.map { connection in
                KeeperReport(
                    processID: connection.hello?.processID ?? 0, generation: connection.generation,
                    jobs: connection.jobs.count, version: "link-\(connection.hello?.version ?? 0)")
            },
            isSandboxWhole: !servers.isEmpty && servers.allSatisfy { $0.state == .ready },
            sandboxReportJSON: report.compact, problems: problems)
    }
}
