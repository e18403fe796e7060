internal import DomeModel

/// One evaluation under way: permissions and grants go in one by one, each is given or refused.
struct PolicyJudge {
    private let policy: Policy
    private let manifest: ToolManifest
    private let allow: [Permission]
    private let deny: [Permission]
    /// By resolved path.
    private var mounts: [String: Mount] = [:]
    private var effective = EffectiveGrants()

    init(_ policy: Policy, _ manifest: ToolManifest) {
        let own = policy.tools[manifest.id] ?? Policy.ToolRules()
        let general = policy.tools["*"] ?? Policy.ToolRules()
        (self.policy, self.manifest) = (policy, manifest)
        (allow, deny) = (own.allow, own.deny + general.deny)
    }

    /// What was given so far.
    var grants: EffectiveGrants {
        var result = effective
        result.environmentNames.sort()
        result.mounts = (mounts.values + guards).sorted { $0.target < $1.target }
        return result
    }

    /// What stays as it is in folders that may be written.
    private var guards: [Mount] {
        mounts.values.filter(\.isWritable).flatMap { ProjectGuards.mounts(in: $0.source) }
            .filter { mounts[$0.source] == nil && !covers(allow, $0.source, true) }
    }

    /// What the manifest asks for in every job.
    mutating func applyFixed(_ permission: Permission) throws(PolicyRefusal) {
        switch permission {
        case .readPath(nil), .writePath(nil): return
        case .readPath(let path?), .writePath(let path?): try add(path, permission, isCallers: false)
        default: try addOther(permission)
        }
    }

    /// What the caller asks for besides.
    mutating func applyGrant(_ grant: Permission) throws(PolicyRefusal) {
        switch grant {
        case .readPath(nil), .writePath(nil):
            throw refusal(grant, "a grant must name the path; * is for manifests")
        case .readPath(let path?), .writePath(let path?): try add(path, grant, isCallers: true)
        default:
            let asked = manifest.permissions + manifest.optionalPermissions
            let isAsked = asked.contains(grant) || grant == .networkLoopback && asked.contains(.networkFull)
            guard isAsked else { throw notAsked(grant) }
            try addOther(grant)
        }
    }

    /// What a caller may ask for, `*` included: then only what the policy says of all paths counts.
    mutating func applyOffer(_ permission: Permission) throws(PolicyRefusal) {
        switch permission {
        case .readPath(nil):
            if deny.contains(.readPath(nil)) { throw denied(permission) }
        case .writePath(nil):
            if deny.contains(.readPath(nil)) || deny.contains(.writePath(nil)) { throw denied(permission) }
        default: try applyGrant(permission)
        }
    }

    private func refusal(_ permission: Permission, _ reason: String, _ remedy: String = "") -> PolicyRefusal {
        PolicyRefusal(toolID: manifest.id, permission: permission, reason: reason, remedy: remedy)
    }

    private func denied(_ permission: Permission) -> PolicyRefusal {
        refusal(permission, "\(policy.path) denies it")
    }

    private func notAsked(_ grant: Permission) -> PolicyRefusal {
        let asked = (manifest.permissions + manifest.optionalPermissions).map(\.description)
        let list = asked.isEmpty ? "nothing" : asked.joined(separator: ", ")
        return refusal(grant, "a grant must be within what the tool's manifest asks for, which is \(list)")
    }

    /// The line that would allow it. The tool's id and the permission are checked texts; the path may hold a quote.
    private func allowance(_ permission: Permission) -> String {
        let document: JSONValue = [
            "tools": .object([manifest.id: ["allow": .array([.string(permission.description)])]])
        ]
        return "in \(policy.path) put \(document.compact)"
    }

    private mutating func addOther(_ permission: Permission) throws(PolicyRefusal) {
        guard !deny.contains(permission) else { throw denied(permission) }
        switch permission {
        case .networkLoopback: if effective.network == .none { effective.network = .loopback }
        case .networkFull:
            // The whole network includes a loopback, and the host's at that.
            guard !deny.contains(.networkLoopback) else { throw denied(permission) }
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

    private func needAllow(_ permission: Permission) throws(PolicyRefusal) {
        guard !allow.contains(permission) else { return }
        throw refusal(permission, "it takes a policy that names the tool", allowance(permission))
    }

    private mutating func add(_ path: String, _ permission: Permission, isCallers: Bool) throws(PolicyRefusal) {
        let isWrite = if case .writePath = permission { true } else { false }
        let place = try GrantedPath(path, userID: policy.userID) { reason in refusal(permission, reason) }
        let resolved = place.path
        if isCallers, !covers(manifest.permissions + manifest.optionalPermissions, resolved, isWrite) {
            throw notAsked(permission)
        }
        guard !denies(resolved, isWrite) else { throw denied(permission) }
        if let protected = policy.protected.opened(by: resolved) {
            throw refusal(permission, "it would open \(protected), which no job may reach")
        }
        if !covers(allow, resolved, isWrite) {
            if isCallers { try needOwnership(place, permission, isWrite) }
            if isWrite, let startup = policy.startup.opened(by: resolved) ?? ProjectGuards.guarded(in: resolved) {
                throw refusal(
                    permission, "what is written to \(startup) is executed outside the sandbox", allowance(permission))
            }
        }
        var mount = mounts[resolved] ?? place.mount
        mount.isWritable = mount.isWritable || isWrite
        mounts[resolved] = mount
    }

    private func needOwnership(
        _ place: GrantedPath, _ permission: Permission, _ isWrite: Bool
    ) throws(PolicyRefusal) {
        guard !place.isOwned || isWrite && place.isSystem else { return }
        let owner = place.isOwned ? "the system" : "another user"
        throw refusal(
            permission, "\(place.path) belongs to \(owner)", allowance(permission) + " to allow it all the same")
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
}
