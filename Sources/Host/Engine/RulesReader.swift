package import DomeAsync
package import DomeCatalog
package import DomeModel
package import DomePlatform

/// Reads what decides over requests: the registry's files, the policy, the paths that are granted. On a thread of its
/// own, apart from `FactsReader`: requests wait for this one.
package actor RulesReader {
    private let executor: LoopExecutor
    private let index = ToolIndex()

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    package init(executor: LoopExecutor) { self.executor = executor }

    /// Reads the registry again if it changed since it was last looked at.
    package func reloadIfChanged(_ catalog: Catalog) {
        guard catalog.reloadIfChanged() else { return }
        let snapshot = catalog.snapshot
        Log.info("registry.reloaded", ["tools": "\(snapshot.tools.count)", "problems": "\(snapshot.problems.count)"])
    }

    /// The policy, from its file.
    package func loadPolicy(_ directories: Directories) throws(DomeError) -> Policy { try Policy.load(directories) }

    /// The settings, from their file.
    package func loadConfiguration(_ path: String) throws(DomeError) -> Configuration { try Configuration(path: path) }

    /// Puts permissions and grants together; looks at the paths on disk.
    package func evaluate(
        _ policy: Policy, _ tool: Tool, grants: [Permission]
    ) throws(DomeError) -> EffectiveGrants {
        try policy.evaluate(tool.manifest, grants: grants)
    }

    /// The same with everything that is refused, and what a caller may add.
    func decide(_ policy: Policy, _ tool: Tool, grants: [Permission]) -> (PolicyDecision, [PolicyOffer]) {
        (policy.decide(tool.manifest, grants: grants), policy.offers(tool.manifest))
    }

    /// Whether a plugin's library, or what is held of its folder, is another one, or in another condition, than when it
    /// was looked at.
    func isReplaced(_ plugin: PluginRecord) -> Bool {
        FileIdentity(path: plugin.libraryPath) != plugin.libraryIdentity
            || plugin.contents.isOutdated
    }

    /// The tools that have the words, the best first, from `offset` on.
    func search(
        _ snapshot: CatalogSnapshot, _ words: String, offset: Int, limit: Int
    ) -> (tools: [Tool], total: Int) {
        index.update(snapshot)
        return index.best(words, offset: offset, limit: limit)
    }

    /// What the tools were when they were first run, by the names of their folders; and why it cannot be read, by the same
    /// ("": of none of them).
    func pins(_ folder: String) -> (pins: [String: ToolPin], unreadable: [String: String]) {
        var pins: [String: ToolPin] = [:]
        var unreadable: [String: String] = [:]
        guard Files.exists(folder) else { return (pins, unreadable) }
        do throws(DomeError) {
            for file in try Files.list(folder) where file.hasSuffix(".json") {
                do throws(DomeError) {
                    let bytes = try Files.read(folder + "/" + file, limitBytes: 8 << 20)
                    let pin = try ToolPin(try JSONParser.parse(bytes, what: file), what: file)
                    guard file == pin.name + ".json" else {
                        throw DomeError(.invalidRequest, "\(file) is the pin of \(pin.name)")
                    }
                    pins[pin.name] = pin
                } catch {
                    unreadable[String(file.dropLast(".json".count))] = error.message
                    Log.warning("tool.pin_unreadable", ["file": folder + "/" + file, "error": error.description])
                }
            }
        } catch {
            unreadable[""] = error.message
            Log.warning("tool.pins_unreadable", ["folder": folder, "error": error.description])
        }
        return (pins, unreadable)
    }

    /// Keeps a pin.
    func write(_ pin: ToolPin, _ folder: String) throws(DomeError) {
        try Files.makeDirectories(folder)
        try Files.writeAtomically("\(folder)/\(pin.name).json", Array(pin.document.indented.utf8))
    }

    /// What is missing of what tools require.
    func missing(_ requirements: [ToolRequirement]) -> [ToolRequirement: String?] {
        Dictionary(requirements.map { ($0, $0.missing()) }) { first, _ in first }
    }

    /// Whether a job's program is there.
    func find(_ search: ProgramSearch, innerServer: Int32) -> ProgramSearch.Verdict {
        search.run(innerServer: innerServer)
    }
}
