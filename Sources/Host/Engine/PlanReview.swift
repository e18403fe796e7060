package import DomeModel

/// What a job may have at most: manifest, policy and grants together. An executor's plan is a request against it.
package struct PlanBounds: Sendable {
    package var jobID: JobID
    /// The environment offered to the executor; a plan may drop variables, not add or change protected ones.
    package var environment: [(name: String, value: String)]
    package var mounts: [Mount]
    package var network: NetworkMode
    package var allowsUnixSockets: Bool
    package var limits: Limits
    package var mayUseTerminal: Bool
    package var taskJSON: String

    package init(
        jobID: JobID, environment: [(name: String, value: String)], mounts: [Mount], network: NetworkMode,
        allowsUnixSockets: Bool, limits: Limits, mayUseTerminal: Bool, taskJSON: String
    ) {
        self.jobID = jobID
        self.environment = environment
        self.mounts = mounts
        self.network = network
        self.allowsUnixSockets = allowsUnixSockets
        self.limits = limits
        self.mayUseTerminal = mayUseTerminal
        self.taskJSON = taskJSON
    }
}

/// Turns an executor's plan document into a launch plan, refusing whatever goes beyond the bounds
/// (E_POLICY_DENIED): an executor must not be a way round the sandbox.
package struct PlanReview {
    private let bounds: PlanBounds

    package init(_ bounds: PlanBounds) { self.bounds = bounds }

    /// Reads and checks the document; `executor` names its author in errors.
    package func plan(from document: [UInt8], executor: String) throws(DomeError) -> LaunchPlan {
        let request = try JSONParser.parse(document, what: "the launch plan of \(executor)")
        guard let object = request.objectValue else { throw malformed(executor, "is not an object") }
        guard let argv = object["argv"]?.arrayValue, !argv.isEmpty else { throw malformed(executor, "has no argv") }
        var arguments: [String] = []
        for element in argv {
            guard let text = element.stringValue, !text.utf8.contains(0) else {
                throw malformed(executor, "has an argv element that is no text or holds a NUL")
            }
            arguments.append(text)
        }
        var plan = LaunchPlan(jobID: bounds.jobID, arguments: arguments, environment: try environment(object, executor))
        if let cwd = object["cwd"] { plan.workingDirectory = try directory(cwd, executor) }
        plan.standardInput = try standardInput(object["stdin"], executor)
        plan.files = try files(object["files"], executor)
        plan.mounts = try mounts(object["mounts"], executor)
        plan.network = try network(object["network"], executor)
        plan.allowsUnixSockets = bounds.allowsUnixSockets
        plan.limits = try limits(object["limits"], executor)
        plan.usesTerminal = object["tty"]?.boolValue ?? false
        if plan.usesTerminal, !bounds.mayUseTerminal { throw denied(executor, "a terminal") }
        return plan
    }

    private func malformed(_ executor: String, _ what: String) -> DomeError {
        DomeError(.internal, "the launch plan of \(executor) \(what); report it to the executor's author")
    }

    private func denied(_ executor: String, _ what: String) -> DomeError {
        DomeError(
            .policyDenied, "executor \(executor) asks for \(what), which manifest and policy do not give this job")
    }

    private func environment(_ object: JSONObject, _ executor: String) throws(DomeError) -> [String] {
        guard let wanted = object["environment"] else { return bounds.environment.map { "\($0.name)=\($0.value)" } }
        guard let members = wanted.objectValue?.members else {
            throw malformed(executor, "has no object as environment")
        }
        var variables: [String] = []
        for (name, value) in members {
            guard let text = value.stringValue, !text.utf8.contains(0) else {
                throw malformed(executor, "has an environment value that is no text or holds a NUL")
            }
            guard let offered = bounds.environment.first(where: { $0.name == name }) else {
                throw denied(executor, "the environment variable \(name.prefix(128))")
            }
            if name.hasPrefix("DOMED_"), offered.value != text { throw denied(executor, "another value of \(name)") }
            variables.append("\(name)=\(text)")
        }
        return variables
    }

    private func directory(_ value: JSONValue, _ executor: String) throws(DomeError) -> String {
        guard let path = value.stringValue, path.hasPrefix("/"), !path.utf8.contains(0) else {
            throw malformed(executor, "has a cwd that is not an absolute path")
        }
        return path
    }

    private func standardInput(_ value: JSONValue?, _ executor: String) throws(DomeError) -> StandardInput {
        guard let value else { return .none }
        if let text = value["text"]?.stringValue { return .bytes(Array(text.utf8)) }
        switch value.stringValue {
        case "none": return .none
        case "task": return .bytes(Array(bounds.taskJSON.utf8))
        default: throw malformed(executor, "has a stdin that is neither \"none\", \"task\" nor {\"text\"}")
        }
    }

    private func files(_ value: JSONValue?, _ executor: String) throws(DomeError) -> [PlannedFile] {
        // The task's own file comes with every job, so that one too long for a variable can be read.
        var files = [PlannedFile(path: ".dome/task.json", mode: 0o444, bytes: Array(bounds.taskJSON.utf8))]
        guard let value else { return files }
        guard let elements = value.arrayValue, elements.count <= 256 else {
            throw malformed(executor, "has files that are no list, or more than 256")
        }
        for element in elements {
            guard let path = element["path"]?.stringValue, PathText.isPlainRelative(path),
                let text = element["text"]?.stringValue
            else { throw malformed(executor, "has a file without a relative path, or without text") }
            let mode = element["mode"]?.integerValue ?? 0o600
            guard (0...0o777).contains(mode) else { throw malformed(executor, "has a file with mode \(mode)") }
            files.append(PlannedFile(path: path, mode: UInt32(mode), bytes: Array(text.utf8)))
        }
        return files
    }

    private func mounts(_ value: JSONValue?, _ executor: String) throws(DomeError) -> [Mount] {
        // What was granted is mounted: the caller or the manifest asked for exactly that. A plan cannot add.
        guard let value else { return bounds.mounts }
        guard let elements = value.arrayValue else { throw malformed(executor, "has mounts that are no list") }
        for element in elements {
            guard let path = element["path"]?.stringValue else { throw malformed(executor, "has a mount without path") }
            let isWrite = element["mode"]?.stringValue == "write"
            let isCovered = bounds.mounts.contains { mount in
                PathText.contains(mount.source, path) && (!isWrite || mount.isWritable)
            }
            guard isCovered else {
                throw denied(executor, "\(isWrite ? "write" : "read") access to \(path.prefix(512))")
            }
        }
        return bounds.mounts
    }

    private func network(_ value: JSONValue?, _ executor: String) throws(DomeError) -> NetworkMode {
        guard let value else { return bounds.network }
        let mode: NetworkMode
        switch value.stringValue {
        case "none": mode = .none
        case "loopback": mode = .loopback
        case "full": mode = .full
        default: throw malformed(executor, "has an unknown network mode")
        }
        guard mode.rawValue <= bounds.network.rawValue else { throw denied(executor, "the network") }
        return mode
    }

    private func limits(_ value: JSONValue?, _ executor: String) throws(DomeError) -> Limits {
        var limits = bounds.limits
        guard let value else { return limits }
        guard let members = value.objectValue?.members else { throw malformed(executor, "has no object as limits") }
        for (name, value) in members {
            guard let number = value.integerValue, number > 0 else {
                throw malformed(executor, "has a limit that is no positive whole number: \(name.prefix(64))")
            }
            // Only narrower: a larger wish is cut to the bound.
            let wish = UInt64(number)
            switch name {
            case "wall_ms": limits.wallMilliseconds = min(limits.wallMilliseconds, wish)
            case "cpu_seconds": limits.cpuSeconds = min(limits.cpuSeconds, wish)
            case "cpu_percent": limits.cpuPercent = limits.cpuPercent == 0 ? wish : min(limits.cpuPercent, wish)
            case "memory_bytes": limits.memoryBytes = min(limits.memoryBytes, wish)
            case "pids": limits.processes = min(limits.processes, wish)
            case "output_bytes": limits.outputBytes = min(limits.outputBytes, wish)
            case "disk_bytes": limits.diskBytes = min(limits.diskBytes, wish)
            default: throw malformed(executor, "has an unknown limit: \(name.prefix(64))")
            }
        }
        return limits
    }
}
