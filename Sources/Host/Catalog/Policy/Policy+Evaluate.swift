package import DomeModel

/// What one job may have, after manifest, policy and grants were put together.
package struct EffectiveGrants: Sendable, Equatable {
    /// Sorted by path, a folder before what is below it; sources are resolved, targets are the same path.
    package var mounts: [Mount] = []
    package var network: NetworkMode = .none
    /// Variables of the daemon's environment that are passed on. Sorted.
    package var environmentNames: [String] = []
    /// Whether Unix sockets may be made.
    package var allowsUnixSockets = false

    package init() {}

    /// In text form, with paths resolved: what an executor gets as "grants", and what provenance records.
    package var permissionTexts: [String] {
        var texts = mounts.map { ($0.isWritable ? "fs.write:" : "fs.read:") + $0.source }
        if network == .loopback { texts.append("net.loopback") }
        if network == .full { texts.append("net.full") }
        if allowsUnixSockets { texts.append("unix") }
        return texts + environmentNames.map { "env:" + $0 }
    }
}

extension Policy {
    /// What a job of this tool gets when its caller asks for `grants`. Resolves paths, so it looks at the disk
    /// (some 50 µs a path). E_POLICY_DENIED names the permission, the reason and the remedy.
    package func evaluate(_ manifest: ToolManifest, grants: [Permission]) throws(DomeError) -> EffectiveGrants {
        let own = tools[manifest.id] ?? ToolRules()
        let general = tools["*"] ?? ToolRules()
        guard own.isEnabled, general.isEnabled || tools[manifest.id] != nil else {
            throw DomeError(.policyDenied, "\(manifest.id) is disabled by \(path)")
        }
        var decision = Decision(policy: self, manifest: manifest, allow: own.allow, deny: own.deny + general.deny)
        for permission in manifest.permissions { try decision.applyFixed(permission) }
        for grant in grants { try decision.applyGrant(grant) }
        return decision.result()
    }

    /// One evaluation under way.
    private struct Decision {
        let policy: Policy
        let manifest: ToolManifest
        let allow: [Permission]
        let deny: [Permission]
        /// Resolved path → whether it is writable.
        private var paths: [String: Bool] = [:]
        private var effective = EffectiveGrants()

        init(policy: Policy, manifest: ToolManifest, allow: [Permission], deny: [Permission]) {
            self.policy = policy
            self.manifest = manifest
            self.allow = allow
            self.deny = deny
        }

        func denied(_ permission: Permission, _ reason: String) -> DomeError {
            DomeError(.policyDenied, "\(manifest.id): \(permission) is refused: \(reason)")
        }

        /// What the manifest asks for in every job.
        mutating func applyFixed(_ permission: Permission) throws(DomeError) {
            switch permission {
            case .readPath(nil), .writePath(nil): return
            case .readPath(let path?), .writePath(let path?):
                try add(path, permission, needsOwnership: false)
            default: try addOther(permission)
            }
        }

        /// What the caller asks for besides.
        mutating func applyGrant(_ grant: Permission) throws(DomeError) {
            switch grant {
            case .readPath(nil), .writePath(nil):
                throw denied(grant, "a grant must name the path; * is for manifests")
            case .readPath(let path?), .writePath(let path?):
                try add(path, grant, needsOwnership: true)
            default:
                let asked = manifest.permissions + manifest.optionalPermissions
                let isAsked = asked.contains(grant) || grant == .networkLoopback && asked.contains(.networkFull)
                guard isAsked else { throw notAsked(grant) }
                try addOther(grant)
            }
        }

        private func notAsked(_ grant: Permission) -> DomeError {
            let asked = (manifest.permissions + manifest.optionalPermissions).map(\.description)
            let list = asked.isEmpty ? "nothing" : asked.joined(separator: ", ")
            return denied(grant, "a grant must be within what the tool's manifest asks for, which is \(list)")
        }

        private mutating func addOther(_ permission: Permission) throws(DomeError) {
            guard !deny.contains(permission) else { throw denied(permission, "\(policy.path) denies it") }
            switch permission {
            case .networkLoopback: if effective.network == .none { effective.network = .loopback }
            case .networkFull:
                try needAllow(permission)
                effective.network = .full
            case .unixSockets:
                try needAllow(permission)
                effective.allowsUnixSockets = true
            case .environment(let name):
                if !effective.environmentNames.contains(name) { effective.environmentNames.append(name) }
            case .process, .readPath, .writePath: break
            }
        }

        private func needAllow(_ permission: Permission) throws(DomeError) {
            guard !allow.contains(permission) else { return }
            throw denied(
                permission,
                "it takes a policy that names the tool: in \(policy.path) put "
                    + "{\"tools\":{\"\(manifest.id)\":{\"allow\":[\"\(permission)\"]}}}")
        }

        private mutating func add(
            _ path: String, _ permission: Permission, needsOwnership: Bool
        ) throws(DomeError) {
            let isWrite = if case .writePath = permission { true } else { false }
            let place = try GrantedPath(path, userID: policy.userID) { reason in denied(permission, reason) }
            let resolved = place.path
            if needsOwnership, !covers(manifest.permissions + manifest.optionalPermissions, resolved, isWrite) {
                throw notAsked(permission)
            }
            guard !denies(resolved, isWrite) else { throw denied(permission, "\(policy.path) denies it") }
            if let protected = policy.protected.opened(by: resolved) {
                throw denied(permission, "it would open \(protected), which no job may reach")
            }
            let isOwned = place.isOwned && !(isWrite && place.isSystem)
            if needsOwnership, !isOwned, !covers(allow, resolved, isWrite) {
                throw denied(
                    permission,
                    "\(resolved) belongs to \(place.isOwned ? "the system" : "another user"); in \(policy.path) put "
                        + "{\"tools\":{\"\(manifest.id)\":{\"allow\":[\"\(permission)\"]}}} to allow it all the same")
            }
            paths[resolved] = (paths[resolved] ?? false) || isWrite
        }

        /// Whether one of `permissions` extends to `path`. To write includes to read.
        private func covers(_ permissions: [Permission], _ path: String, _ isWrite: Bool) -> Bool {
            permissions.contains { permission in
                switch permission {
                case .readPath(let outer): !isWrite && (outer.map { GrantedPath.contains($0, path) } ?? true)
                case .writePath(let outer): outer.map { GrantedPath.contains($0, path) } ?? true
                default: false
                }
            }
        }

        /// Whether a denial touches `path`: one of reading denies writing too, and a folder above it as well.
        private func denies(_ path: String, _ isWrite: Bool) -> Bool {
            deny.contains { permission in
                let outer: String?
                switch permission {
                case .readPath(let path): outer = path
                case .writePath(let path) where isWrite: outer = path
                default: return false
                }
                guard let outer else { return true }
                return GrantedPath.contains(outer, path) || GrantedPath.contains(path, outer)
            }
        }

        func result() -> EffectiveGrants {
            var result = effective
            result.environmentNames.sort()
            result.mounts = paths.sorted { $0.key < $1.key }
                .map { Mount(source: $0.key, target: $0.key, isWritable: $0.value) }
            return result
        }
    }
}
