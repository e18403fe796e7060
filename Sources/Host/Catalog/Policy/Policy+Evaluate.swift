package import DomeModel

extension Policy {
    /// What a job of this tool gets when its caller asks for `grants`. Resolves paths, so it looks at the disk
    /// (some 50 µs a path). E_POLICY_DENIED names the permission, the reason and the remedy.
    package func evaluate(_ manifest: ToolManifest, grants: [Permission]) throws(DomeError) -> EffectiveGrants {
        let decision = decide(manifest, grants: grants)
        if let refusal = decision.refusals.first { throw refusal.error }
        return decision.grants
    }

    /// The same for those who want to know everything that is refused, and what is left.
    package func decide(_ manifest: ToolManifest, grants: [Permission]) -> PolicyDecision {
        var decision = PolicyDecision()
        if let refusal = disabled(manifest) { decision.refusals.append(refusal) }
        var judge = PolicyJudge(self, manifest)
        func note(_ body: () throws(PolicyRefusal) -> Void) {
            do throws(PolicyRefusal) { try body() } catch { decision.refusals.append(error) }
        }
        for permission in manifest.permissions {
            note { () throws(PolicyRefusal) in try judge.applyFixed(permission) }
        }
        for grant in grants { note { () throws(PolicyRefusal) in try judge.applyGrant(grant) } }
        decision.grants = judge.grants
        return decision
    }

    /// What a caller may ask for beyond what every job of the tool has.
    package func offers(_ manifest: ToolManifest) -> [PolicyOffer] {
        let open = manifest.permissions.filter { $0 == .readPath(nil) || $0 == .writePath(nil) }
        return (open + manifest.optionalPermissions).map { permission in
            var judge = PolicyJudge(self, manifest)
            do throws(PolicyRefusal) {
                try judge.applyOffer(permission)
                return PolicyOffer(permission: permission, refusal: nil)
            } catch {
                return PolicyOffer(permission: permission, refusal: error)
            }
        }
    }

    private func disabled(_ manifest: ToolManifest) -> PolicyRefusal? {
        let isEnabled = (tools[manifest.id] ?? ToolRules()).isEnabled
        let isGenerallyEnabled = (tools["*"] ?? ToolRules()).isEnabled
        guard !isEnabled || !isGenerallyEnabled && tools[manifest.id] == nil else { return nil }
        return PolicyRefusal(
            toolID: manifest.id, permission: nil, reason: "it is disabled by \(path)",
            remedy: "to enable it, put {\"tools\":{\"\(manifest.id)\":{\"enabled\":true}}} there")
    }
}
