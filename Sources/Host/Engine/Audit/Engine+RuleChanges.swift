internal import DomeCatalog
internal import DomeCrypto
internal import DomeModel
internal import DomePlatform
internal import DomeStore

// What decides over jobs is in the audit log when it changes: tools, plugins, the policy.
extension Engine {
    private static let namesLimit = 50

    /// Plugins now, each with what it is byte for byte.
    private var pluginsNow: [String: String] {
        var plugins: [String: String] = [:]
        for plugin in self.plugins.snapshot.records where !plugin.id.isEmpty {
            plugins[plugin.id] = plugin.librarySHA256 + " " + plugin.state.rawValue
        }
        return plugins
    }

    /// Records what came, went or changed since the last time, and tells those who watch; the first time only remembers.
    func noteRuleChanges() {
        let now = (tools: catalog.snapshot, plugins: pluginsNow)
        defer { recordedRules = now }
        guard let before = recordedRules else { return }
        if before.tools.number != now.tools.number {
            let changes = now.tools.changes(since: before.tools)
            note("registry", changes.map { ($0.id, $0.before == nil ? 0 : $0.now == nil ? 1 : 2) })
            for change in changes { _ = change.now.flatMap(pins.refusal) }
            if !changes.isEmpty { for observer in toolObservers.values { observer() } }
        }
        guard before.plugins != now.plugins else { return }
        let names = Set(before.plugins.keys).union(now.plugins.keys).sorted()
        note(
            "plugins",
            names.filter { before.plugins[$0] != now.plugins[$0] }
                .map { ($0, before.plugins[$0] == nil ? 0 : now.plugins[$0] == nil ? 1 : 2) })
    }

    /// `changes`: 0 for what came, 1 for what went, 2 for what is not what it was.
    private func note(_ kind: String, _ changes: [(id: String, what: Int)]) {
        guard !changes.isEmpty else { return }
        var details = JSONObject()
        for (what, word) in ["added", "removed", "changed"].enumerated() {
            let ids = changes.filter { $0.what == what }.map(\.id)
            guard !ids.isEmpty else { continue }
            details[word] = .array(ids.prefix(Self.namesLimit).map { .string($0) })
            if ids.count > Self.namesLimit { details[word + "_count"] = .integer(Int64(ids.count)) }
        }
        pendingAudit.add(Self.ownEntry(AuditKind(rawValue: kind), outcome: "changed", details: details))
    }

    /// One digest over all of it: daemons that find the same rules record the same.
    var rulesDigest: String {
        var lines = catalog.snapshot.tools.map { "tool \($0.manifest.id) \($0.hashes.material)\n" }
        lines += pluginsNow.map { "plugin \($0.key) \($0.value)\n" }
        return (try? SHA256.digest(lines.sorted().joined()).hex) ?? "unknown"
    }

    func notePolicyChange(_ before: String, _ now: String) {
        pendingAudit.add(
            Self.ownEntry(
                AuditKind(rawValue: "policy"), outcome: "changed",
                details: ["before_sha256": .string(before), "sha256": .string(now)]))
    }
}
