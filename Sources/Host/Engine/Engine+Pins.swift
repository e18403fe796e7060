internal import DomeAsync
internal import DomeCatalog
package import DomeModel
internal import DomePlatform
internal import DomeStore

// Tools that are not what they were: noticed, told, and taken back by a person.
extension Engine {
    /// Takes the tool as it is now for what it is meant to be. `material` is the SHA-256 that its caller was shown: what has
    /// changed since is not accepted unseen. E_INVALID_TRANSITION if it has; E_INVALID_REQUEST for a plugin's tool.
    package func acceptTool(_ id: String, material: String, caller: Caller) async throws(DomeError) -> ToolReport {
        await reloadRegistry()
        let tool = try catalog.snapshot.tool(id)
        if let plugin = tool.plugin {
            throw DomeError(
                .invalidRequest, "\(id) is plugin \(plugin.id)'s, which is pinned as a whole: dome plugin install")
        }
        guard material == tool.hashes.material else {
            throw DomeError(
                .invalidTransition,
                "\(id) is not what was looked at: its material is \(tool.hashes.material); look at it again")
        }
        let differences = pins.differences(tool)
        try await store.appendAudit(
            AuditEntry(
                .toolAccepted, timeNanoseconds: Clock.wallNanoseconds(), actor: caller, toolID: tool.folderName,
                outcome: "accepted", details: Self.details(tool, differences)))
        try await pins.record(tool)
        Log.info("tool.accepted", ["tool": tool.folderName, "material": tool.hashes.material])
        return report(tool)
    }

    /// A tool turned out to be something else than it was.
    func noteDrift(_ tool: Tool, _ differences: [String]) {
        Log.warning(
            "tool.quarantined", ["tool": tool.folderName, "differences": differences.joined(separator: "; ")])
        pendingAudit.add(
            AuditEntry(
                .toolQuarantined, timeNanoseconds: Clock.wallNanoseconds(), actor: Self.ownCaller,
                toolID: tool.folderName, outcome: "quarantined", details: Self.details(tool, differences)))
    }

    private static func details(_ tool: Tool, _ differences: [String]) -> JSONObject {
        [
            "material_sha256": .string(tool.hashes.material),
            "differences": .array(differences.map { .string($0.cut(toBytes: 500)) }),
        ]
    }
}
