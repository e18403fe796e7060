package import DomeAsync
internal import DomeCatalog
package import DomeModel
package import DomePlatform
internal import DomeStore

/// What only domed can check of itself, for `dome doctor`: it has the libraries and knows the files. Changes nothing,
/// and may run beside a daemon that serves.
@Core
package struct SelfCheck {
    private let directories: Directories
    private let registry: PluginRegistry
    private let makeWorker: @Core (PluginRecord) -> ExecutorWorker

    package init(
        _ directories: Directories, plugins: PluginRegistry,
        makeWorker: @escaping @Core (PluginRecord) -> ExecutorWorker
    ) {
        self.directories = directories
        self.makeWorker = makeWorker
        registry = plugins
    }

    /// A list of `{"check", "verdict", "detail"}`, as `dome doctor` prints it; verdicts are ok, note and failed.
    package func run() async -> JSONValue {
        var list = [checkConfiguration(), checkDatabase()]
        _ = await registry.refresh()
        let plugins = registry.snapshot.records
        if !plugins.contains(where: { $0.file?.kind == .executor }) {
            list.append(Self.entry("plugin", "failed", "no executor plugin found: install dome's lib/dome/plugins"))
        }
        for plugin in plugins { list.append(await check(plugin)) }
        return .array(list)
    }

    private func checkConfiguration() -> JSONValue {
        let path = directories.config + "/config.json"
        do throws(DomeError) {
            _ = try Configuration(path: path)
            return Self.entry("configuration", "ok", Files.exists(path) ? path : "the defaults: there is no \(path)")
        } catch {
            return Self.entry("configuration", "failed", error.message)
        }
    }

    private func checkDatabase() -> JSONValue {
        let path = directories.databasePath
        guard Files.exists(path) else {
            return Self.entry("database", "ok", "\(path), to be made at the first start")
        }
        do throws(DomeError) {
            let problems = try Store.examine(path: path)
            guard !problems.isEmpty else { return Self.entry("database", "ok", path) }
            let remedy = "move it away with its -wal and -shm; a new one is made at the next start"
            return Self.entry("database", "failed", "\(path): \(problems.joined(separator: "; ")); \(remedy)")
        } catch {
            return Self.entry("database", "failed", error.message)
        }
    }

    private func check(_ plugin: PluginRecord) async -> JSONValue {
        let name = "\(plugin.id.isEmpty ? "a plugin" : plugin.id) in \(plugin.folder)"
        switch plugin.state {
        case .ready: break
        // The sandbox has findings of its own.
        case _ where plugin.isUnconfined: return Self.entry("plugin", "note", "\(name): \(plugin.reason)")
        case .disabled, .shadowed: return Self.entry("plugin", "note", "\(name): \(plugin.reason)")
        default: return Self.entry("plugin", "failed", "\(name) is \(plugin.state.rawValue): \(plugin.reason)")
        }
        guard plugin.file?.kind == .executor else { return Self.entry("plugin", "ok", name) }
        let worker = makeWorker(plugin)
        guard let failure = await worker.failureToStart() else { return Self.entry("plugin", "ok", name) }
        return Self.entry("plugin", "failed", "\(plugin.id): \(failure)")
    }

    private static func entry(_ check: String, _ verdict: String, _ detail: String) -> JSONValue {
        ["check": .string(check), "verdict": .string(verdict), "detail": .string(detail)]
    }
}
