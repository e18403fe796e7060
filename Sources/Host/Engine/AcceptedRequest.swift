internal import DomeCatalog
internal import DomeCrypto
internal import DomeModel
internal import Glibc

/// A submission that was found good: the tool is known, the task fits its schema, the policy allows what is asked.
struct AcceptedRequest: Sendable {
    let request: SubmitRequest
    let tool: Tool
    let task: JSONValue
    let constraints: Constraints
    let taskJSON: String
    let constraintsJSON: String
    /// In text form, paths resolved.
    let grants: [String]
    let effective: EffectiveGrants
    let inputHash: String
    /// Over what makes two requests the same.
    let requestHash: Digest
    /// Values of the daemon's environment that the policy lets through.
    let passedEnvironment: [(name: String, value: String)]

    init(
        _ request: SubmitRequest, tool: Tool, task: SubmittedTask, constraints: Constraints, effective: EffectiveGrants,
        passedEnvironment: [(name: String, value: String)]
    ) throws(DomeError) {
        self.request = request
        self.tool = tool
        self.task = task.value
        self.constraints = constraints
        self.effective = effective
        self.passedEnvironment = passedEnvironment
        taskJSON = task.text
        constraintsJSON = JSONValue.object(constraints.document).compact
        grants = effective.permissionTexts
        inputHash = try SHA256.digest(task.value.canonical).hex
        requestHash = try Self.requestHash(request, task, constraints)
    }

    /// "The same request": skill, profile, canonical task, constraints without `wait_ms`.
    static func requestHash(
        _ request: SubmitRequest, _ task: SubmittedTask, _ constraints: Constraints
    ) throws(DomeError) -> Digest {
        let identity: JSONValue = [
            "skill_id": .string(request.skillID), "profile": .string(request.profile), "task": task.identity,
            "constraints": constraints.identity,
        ]
        return try SHA256.digest(identity.sortedExact)
    }

    /// What the job may have at most.
    func bounds(_ id: JobID) -> PlanBounds {
        let manifest = tool.manifest
        return PlanBounds(
            id, manifest, effective, constraints,
            environment: JobEnvironment.make(
                jobID: id, toolID: manifest.id, profile: request.profile, taskJSON: taskJSON,
                constraintsJSON: constraintsJSON, usesTerminal: manifest.usesTerminal, fixed: manifest.environment,
                passed: passedEnvironment, trace: request.trace),
            taskJSON: taskJSON)
    }
}

extension PlanBounds {
    /// What manifest, policy and request come to, for a job that runs and for one that is only explained.
    init(
        _ id: JobID, _ manifest: ToolManifest, _ grants: EffectiveGrants, _ constraints: Constraints,
        environment: [(name: String, value: String)], taskJSON: String
    ) {
        var limits = manifest.limits
        if let timeout = constraints.timeoutMilliseconds {
            limits.wallMilliseconds = min(limits.wallMilliseconds, timeout)
        }
        self.init(
            jobID: id, environment: environment, mounts: grants.mounts, network: grants.network,
            allowsUnixSockets: grants.allowsUnixSockets, limits: limits, mayUseTerminal: manifest.usesTerminal,
            taskJSON: taskJSON)
    }
}

extension EffectiveGrants {
    /// Values of the daemon's environment that are passed on. What it has not got is left out.
    var passedEnvironment: [(name: String, value: String)] {
        environmentNames.compactMap { name in getenv(name).map { (name: name, value: String(cString: $0)) } }
    }
}
