package import DomeAsync
internal import DomeCatalog
package import DomeLink
package import DomeModel
package import DomePlatform

/// What a plugin said when it was asked how it is, or what came of asking.
package struct PluginHealth: Sendable, Equatable {
    package var isOK: Bool
    /// For people; foreign text.
    package var message: String
    package var askedNanoseconds = Clock.wallNanoseconds()

    package init(isOK: Bool, message: String) { (self.isOK, self.message) = (isOK, message) }

    static let messageLimitBytes = 1_000

    /// What a plugin answered. What will not do is no health.
    package init(answer: JSONValue?) {
        guard let isOK = answer?["ok"]?.boolValue else {
            self.init(isOK: false, message: "it answered with no {\"ok\": true|false}")
            return
        }
        let said = answer?["message"]?.stringValue ?? ""
        self.init(isOK: isOK, message: said.cut(toBytes: Self.messageLimitBytes))
    }
}

/// Asks adapters how they are: each in a worker of its own, in the jail of its jobs, with a time limit. On a thread of
/// its own, on which a plugin that hangs keeps nobody but those who ask the same.
package actor PluginHealthCheck {
    private let executor: LoopExecutor
    private let command: @Sendable (PluginRecord, AdapterJob) throws(DomeError) -> Subprocess
    private var known: [String: (identity: PluginRecord.Identity, monotonicNanoseconds: Int64, health: PluginHealth)] =
        [:]

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private static let limitMilliseconds: Int64 = 2_000
    private static let keptNanoseconds: Int64 = 10_000_000_000

    /// - Parameter command: the program that asks (domed-worker --health).
    package init(
        executor: LoopExecutor,
        command: @escaping @Sendable (PluginRecord, AdapterJob) throws(DomeError) -> Subprocess
    ) {
        (self.executor, self.command) = (executor, command)
    }

    /// How it is; asked anew unless that was done a moment ago. `plugin` has the grants of its jobs.
    func health(of plugin: PluginRecord, secrets: [(name: String, value: [UInt8])]) -> PluginHealth {
        let now = Clock.monotonicNanoseconds()
        if let entry = known[plugin.id], entry.identity == plugin.identity,
            now - entry.monotonicNanoseconds < Self.keptNanoseconds
        {
            return entry.health
        }
        let health = ask(plugin, secrets)
        known[plugin.id] = (plugin.identity, Clock.monotonicNanoseconds(), health)
        return health
    }

    private func ask(_ plugin: PluginRecord, _ secrets: [(name: String, value: [UInt8])]) -> PluginHealth {
        var work = AdapterJob()
        (work.pluginID, work.pluginVersion) = (plugin.id, plugin.file?.version ?? "")
        (work.library, work.identity) = (plugin.file?.library ?? "", plugin.libraryIdentity?.text ?? "")
        (work.config, work.secrets) = (JSONValue.object(plugin.config).compact, secrets)
        let outcome: PluginScan.Outcome
        do throws(DomeError) {
            outcome = try PluginScan.hear(
                command(plugin, work), of: plugin.folder, limitMilliseconds: Self.limitMilliseconds)
        } catch {
            return PluginHealth(isOK: false, message: error.message)
        }
        switch outcome {
        case .declared(let document):
            do throws(DomeError) {
                return PluginHealth(answer: try JSONParser.parse(document, what: "its health"))
            } catch {
                return PluginHealth(isOK: false, message: error.message)
            }
        case .refused(let why), .unable(let why), .replaced(let why): return PluginHealth(isOK: false, message: why)
        case .crashed(let place): return PluginHealth(isOK: false, message: "it crashed: \(place)")
        }
    }
}
