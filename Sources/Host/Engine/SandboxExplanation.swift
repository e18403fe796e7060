internal import DomeCatalog
internal import DomeLink
package import DomeModel

/// What a job would get, as far as it can be known before there is one.
package struct SandboxExplanation: Sendable {
    private let manifest: ToolManifest
    private let decision: PolicyDecision
    private let offers: [PolicyOffer]
    /// What a keeper would be asked for; nil for a tool that the daemon carries out itself.
    var plan: LaunchPlan?
    /// The inner server that would start it.
    var server: KeeperInnerServer?
    /// What else stands in the way, for people.
    var obstacles: [String] = []

    init(_ manifest: ToolManifest, _ decision: PolicyDecision, _ offers: [PolicyOffer]) {
        self.manifest = manifest
        self.decision = decision
        self.offers = offers
    }

    /// Whether such a job would be let run.
    package var isAdmissible: Bool { decision.refusals.isEmpty && allObstacles.isEmpty }

    /// The layers that this job must have around it.
    private var requiredLayers: UInt64 {
        guard let server, let plan else { return 0 }
        return server.requiredLayers(allowsUnixSockets: plan.allowsUnixSockets)
    }

    private var allObstacles: [String] {
        // A server that is not ready has said so already.
        guard let server, server.state == .ready, let plan else { return obstacles }
        return obstacles + server.obstacles(allowsUnixSockets: plan.allowsUnixSockets, plan.limits)
    }

    /// The document that clients get.
    package var json: JSONValue {
        var object: JSONObject = [
            "tool_id": .string(manifest.id), "version": .string(manifest.version),
            "executor_backend": .string(manifest.executorBackend), "admissible": .bool(isAdmissible),
            "refused": .array(decision.refusals.map(Self.document)),
            "obstacles": .array(allObstacles.map { .string($0) }),
            "asks_for": .array(manifest.permissionTexts.map { .string($0) }),
            "may_be_granted": .array(
                offers.map { offer in
                    var object: JSONObject = [
                        "permission": .string(offer.permission.description), "given": .bool(offer.refusal == nil),
                    ]
                    if let refusal = offer.refusal {
                        object["reason"] = .string(refusal.reason)
                        object["remedy"] = .string(refusal.remedy)
                    }
                    return .object(object)
                }),
            "has_process": .bool(plan != nil),
        ]
        if let plan { describe(plan, in: &object) }
        return .object(object)
    }

    private static func document(_ refusal: PolicyRefusal) -> JSONValue {
        [
            "permission": refusal.permission.map { .string($0.description) } ?? .null,
            "reason": .string(refusal.reason), "remedy": .string(refusal.remedy),
        ]
    }

    private func describe(_ plan: LaunchPlan, in object: inout JSONObject) {
        let layers = server?.layers ?? 0
        object["runs_as"] = server.map { ["uid": .integer(Int64($0.jobUserID))] } ?? .null
        object["files"] = [
            "system": .array((server?.systemPaths ?? []).map { .string($0) }),
            "granted": .array(
                plan.mounts.map { mount in
                    ["path": .string(mount.target), "access": .string(mount.isWritable ? "write" : "read")]
                }),
            "own": [
                ["path": "/job", "bytes": Self.number(plan.limits.diskBytes), "kind": "tmpfs"],
                ["path": "/tmp", "bytes": Self.number(JobFolders.temporaryBytes), "kind": "tmpfs"],
                ["path": "/dev/shm", "bytes": Self.number(JobFolders.sharedMemoryBytes), "kind": "tmpfs"],
                ["path": "/proc", "bytes": 0, "kind": "proc"],
            ],
        ]
        object["network"] = .string(plan.network.name)
        object["unix_sockets"] = .bool(plan.mayMakeUnixSockets)
        object["terminal"] = .bool(manifest.usesTerminal)
        object["environment"] = .array(plan.environment.map { .string(String($0.prefix { $0 != "=" })) })
        let names = Set(plan.environment.map { $0.prefix { $0 != "=" } })
        object["environment_unset"] = .array(
            decision.grants.environmentNames.filter { !names.contains(Substring($0)) }.map { .string($0) })
        object["limits"] = Self.limits(plan.limits, hasCgroup: SandboxLayers.names(of: layers).contains("cgroup"))
        object["layers"] = .array(
            SandboxLayers.all.enumerated().map { index, layer in
                let bit = UInt64(1) << UInt64(index)
                return [
                    "name": .string(layer.name), "stops": .string(layer.stops), "in_force": .bool(layers & bit != 0),
                    "required": .bool(requiredLayers & bit != 0),
                ]
            })
    }

    /// Name, value and over what it counts. A limit per process is no limit of the job: it has several.
    private static func limits(_ limits: Limits, hasCgroup: Bool) -> JSONValue {
        var list: [JSONValue] = []
        func add(_ name: String, _ value: UInt64, _ scope: String) {
            list.append(["name": .string(name), "value": number(value), "per": .string(scope)])
        }
        add("wall_ms", limits.wallMilliseconds, "job")
        add("grace_ms", limits.graceMilliseconds, "job")
        for limit in limits.resourceLimits(hasCgroup: hasCgroup) {
            add(limit.resource.rawValue, limit.soft, limit.scope.rawValue)
        }
        if hasCgroup { add("memory_bytes", limits.memoryBytes, "job") }
        if limits.cpuPercent > 0 { add("cpu_percent", limits.cpuPercent, "job") }
        add("output_bytes", limits.outputBytes, "job")
        add("line_bytes", limits.lineBytes, "line")
        return .array(list)
    }

    private static func number(_ value: UInt64) -> JSONValue { .integer(Int64(clamping: value)) }
}
