internal import DomeCatalog
internal import DomeCrypto
internal import DomeModel
internal import DomePlatform
internal import DomeStore

// What decides over jobs is in the audit log when it changes: tools, plugins, the policy.
extension Engine {
    private static let namesLimit = 50

    /// Tools and plugins now, each with what it is byte for byte.
    private var rulesNow: [String: String] {
        var rules: [String: String] = [:]
        for tool in catalog.snapshot.tools { rules["tool " + tool.manifest.id] = tool.hashes.material }
        for plugin in plugins.snapshot.records where !plugin.id.isEmpty {
            rules["plugin " + plugin.id] = plugin.librarySHA256 + " " + plugin.state.rawValue
        }
        return rules
    }

    /// Records what came, went or changed since the last time; the first time only remembers.
    func noteRuleChanges() {
        let now = rulesNow
        defer { recordedRules = now }
        guard let before = recordedRules, before != now else { return }
        for (kind, prefix) in [("registry", "tool "), ("plugins", "plugin ")] {
            let names = Set(before.keys).union(now.keys).filter { $0.hasPrefix(prefix) }.sorted()
            var changes: [(String, [String])] = [("added", []), ("removed", []), ("changed", [])]
            for name in names where before[name] != now[name] {
                let place = before[name] == nil ? 0 : now[name] == nil ? 1 : 2
                changes[place].1.append(String(name.dropFirst(prefix.count)))
            }
            var details = JSONObject()
            for (word, ids) in changes where !ids.isEmpty {
                details[word] = .array(ids.prefix(Self.namesLimit).map { .string($0) })
                if ids.count > Self.namesLimit { details[word + "_count"] = .integer(Int64(ids.count)) }
            }
            guard !details.isEmpty else { continue }
            pendingAudit.add(Self.ownEntry(AuditKind(rawValue: kind), outcome: "changed", details: details))
        }
    }

    /// One digest over all of it: daemons that find the same rules record the same.
    var rulesDigest: String {
        let lines = rulesNow.map { "\($0.key) \($0.value)\n" }.sorted().joined()
        return (try? SHA256.digest(lines).hex) ?? "unknown"
    }

    func notePolicyChange(_ before: String, _ now: String) {
        pendingAudit.add(
            Self.ownEntry(
                AuditKind(rawValue: "policy"), outcome: "changed",
                details: ["before_sha256": .string(before), "sha256": .string(now)]))
    }
}
