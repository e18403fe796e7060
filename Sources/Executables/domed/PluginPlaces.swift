import DomeAsync
import DomeEngine
import DomeLink
import DomeModel
import DomePlatform
import Glibc

/// The plugins of this user, as domed looks for them, and the confined programs that load them.
struct PluginPlaces {
    private let directories: Directories
    private let programs: String
    let workerPath: String

    init(_ directories: Directories, programs: String) {
        (self.directories, self.programs) = (directories, programs)
        workerPath = programs + "/domed-worker"
    }

    func registry(keepsScans: Bool = true) throws(DomeError) -> PluginRegistry {
        let search = PluginSearch(
            directories: directories, executableDirectory: programs,
            variable: getenv("DOME_PLUGIN_PATH").map { String(cString: $0) })
        let keeper = programs + "/domed-keeper"
        return PluginRegistry(
            executor: try LoopExecutor.onNewThread(named: "dome-plugins"), search: search,
            stateFolder: directories.state, keepsScans: keepsScans
        ) { [workerPath] plugin throws(DomeError) in
            var plan = ConfinedLaunch.workerPlan(
                arguments: ["--scan", AdapterJob.pluginFolder, "--identity", plugin.libraryIdentity?.text ?? ""],
                workerPath: workerPath, pluginMounts: plugin.mounts)
            plan.limits.memoryBytes = 1 << 30
            return try ConfinedLaunch(plan).command(keeperPath: keeper)
        }
    }

    /// Asks adapters how they are, in the jail of their jobs.
    func healthCheck() throws(DomeError) -> PluginHealthCheck {
        let keeper = programs + "/domed-keeper"
        return PluginHealthCheck(executor: try LoopExecutor.onNewThread(named: "dome-health")) {
            [workerPath] plugin, work throws(DomeError) in
            var plan = ConfinedLaunch.workerPlan(
                arguments: ["--health"], workerPath: workerPath, pluginMounts: plugin.mounts)
            plugin.give(to: &plan)
            plan.standardInput = .bytes(work.bytes)
            return try ConfinedLaunch(plan).command(keeperPath: keeper)
        }
    }

    /// The worker of an executor, under what its plugin.json asks for and the policy gives.
    @Core
    func worker(_ plugin: PluginRecord) -> ExecutorWorker {
        ExecutorWorker(plugin, workerPath: workerPath, keeperPath: programs + "/domed-keeper")
    }
}
