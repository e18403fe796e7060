internal import DomeAsync
internal import DomeCatalog
internal import DomeModel
internal import DomePlatform

/// What the registry's tools were when they were first run. One that is something else since is quarantined until a person
/// accepts it (docs/adr/0041). Tools of plugins have their plugin's pin.
@Core
final class ToolPins {
    private let folder: String
    private let catalog: Catalog
    private let rules: RulesReader
    private let version: String
    /// Tools that came with this daemon are not pinned while dome is being built: each build may change them.
    private let isDevelopment: Bool
    private var pins: [String: ToolPin] = [:]
    /// Why the pin of a tool cannot be read, by the name of its folder ("": of any): what it was is not known, so a person
    /// has to look.
    private var unreadable: [String: String] = [:]
    /// Those that are something else, by name, with what they are now.
    private var drifts: [String: Drift] = [:]
    /// Called when a tool turns out to be something else.
    var onDrift: @Core (Tool, [String]) -> Void = { _, _ in }

    private struct Drift {
        var tool: Tool
        var differences: [String]
    }

    nonisolated init(_ directories: Directories, _ catalog: Catalog, _ rules: RulesReader, version: String) {
        folder = directories.state + "/registry/pins"
        self.catalog = catalog
        self.rules = rules
        self.version = version
        isDevelopment = directories.stage == .dev
    }

    /// Reads what was recorded; before anything is admitted.
    func load() async { (pins, unreadable) = await rules.pins(folder) }

    /// Where a tool is another one than its pin says; empty for one that is not pinned.
    func differences(_ tool: Tool) -> [String] {
        guard !isExempt(tool) else { return [] }
        let name = pinName(tool)
        if let reason = unreadable[name] ?? unreadable[""] {
            return ["what it was is not known: its pin cannot be read: \(reason)"]
        }
        guard let pin = pins[name], pin.material != tool.hashes.material else { return [] }
        // A release brings its own tools along.
        if catalog.isReleased(tool), pin.daemonVersion != version { return [] }
        if let drift = drifts[tool.folderName], drift.tool === tool { return drift.differences }
        let differences = pin.differences(tool)
        let isNew = drifts[tool.folderName]?.tool.hashes != tool.hashes
        drifts[tool.folderName] = Drift(tool: tool, differences: differences)
        if isNew { onDrift(tool, differences) }
        return differences
    }

    /// The name under which it was recorded what a tool is: that of its folder, or else of the folder whose place it has
    /// taken. The same id and version stand for one tool, whether its folder's name has the version or not, and an id
    /// that stood for the folder without one stands for another now that this is gone.
    private func pinName(_ tool: Tool) -> String {
        let (name, id) = (tool.folderName, tool.manifest.id)
        func isPinned(_ name: String) -> Bool { pins[name] != nil || unreadable[name] != nil }
        guard !isPinned(name) else { return name }
        let versioned = id + "@" + tool.manifest.version
        if name == id { return isPinned(versioned) ? versioned : name }
        guard isPinned(id) else { return name }
        let isSuccessor = pins[id]?.version == tool.manifest.version || catalog.snapshot[id: id]?.folderName != id
        return isSuccessor ? id : name
    }

    /// Why a tool is quarantined, with the remedy; nil if it is not.
    func refusal(_ tool: Tool) -> String? {
        guard !pins.isEmpty || !unreadable.isEmpty else { return nil }
        let differences = differences(tool)
        guard !differences.isEmpty else { return nil }
        return "is not what it was when it was first used: \(differences.joined(separator: "; ")). If that is meant: "
            + "dome registry accept \(tool.folderName)"
    }

    /// Refuses a tool that is quarantined: E_POLICY_DENIED.
    func check(_ tool: Tool) throws(DomeError) {
        guard let refusal = refusal(tool) else { return }
        throw DomeError(.policyDenied, "\(tool.folderName) is quarantined: it \(refusal)")
    }

    /// Records a tool that is run for the first time.
    func noteUse(of tool: Tool) async {
        guard pins[tool.folderName]?.material != tool.hashes.material, !isExempt(tool) else { return }
        do throws(DomeError) { try await record(tool) } catch {
            // Until the next start it is remembered.
            Log.warning("tool.pin_not_written", ["tool": tool.folderName, "error": error.description])
        }
    }

    /// Takes a tool as it is now for what it is meant to be.
    func record(_ tool: Tool) async throws(DomeError) {
        let pin = ToolPin(tool, daemonVersion: version)
        pins[tool.folderName] = pin
        drifts[tool.folderName] = nil
        unreadable[tool.folderName] = nil
        try await rules.write(pin, folder)
    }

    /// What is quarantined, a sentence each.
    func problems(_ snapshot: CatalogSnapshot) -> [String] {
        Set(drifts.keys).union(unreadable.keys).sorted().compactMap { name in
            guard let tool = snapshot[id: name], tool.folderName == name, let refusal = refusal(tool) else {
                return nil
            }
            return "tool \(name) is quarantined: it \(refusal)"
        }
    }

    private func isExempt(_ tool: Tool) -> Bool { tool.plugin != nil || isDevelopment && catalog.isReleased(tool) }
}
