internal import CJail
package import DomeModel
internal import Glibc

/// Whom a job runs as when the inner server is root; without meaning otherwise.
package struct JailIdentity: Sendable, Equatable {
    package var uid: UInt32
    package var gid: UInt32

    package init(uid: UInt32, gid: UInt32) {
        self.uid = uid
        self.gid = gid
    }

    /// `nobody`.
    package static let unprivileged = JailIdentity(uid: 65534, gid: 65534)
}

/// A job as the inner server reads it: `dome_jail_spec` and what follows it, see CJail.h.
package struct JailSpec: Sendable {
    package let bytes: [UInt8]

    /// - Parameters:
    ///   - workSource: a host folder to be /job; nil: a tmpfs of `limits.diskBytes`.
    /// - Throws: E_INVALID_REQUEST for what no process can be started with: no argv, a NUL in a string, a
    ///   relative path, more than the wire format holds.
    package init(
        _ plan: LaunchPlan, identity: JailIdentity = .unprivileged,
        requiredLayers: EnforcedLayers = [], workSource: String? = nil
    ) throws(DomeError) {
        guard let program = plan.arguments.first, !program.isEmpty else {
            throw DomeError(.invalidRequest, "the plan of job \(plan.jobID.text) has no program (argv is empty)")
        }
        var encoder = SpecEncoder()
        var head = dome_jail_spec()
        head.version = DOME_JAIL_VERSION
        if plan.network == .loopback { head.flags |= DOME_JAIL_OWN_NETWORK.rawValue }
        if plan.mayMakeUnixSockets { head.flags |= DOME_JAIL_UNIX_SOCKETS.rawValue }
        head.required_layers = requiredLayers.rawValue
        head.uid = identity.uid
        head.gid = identity.gid
        head.umask = 0o022
        head.work_bytes = plan.limits.diskBytes
        head.tmp_bytes = JobFolders.temporaryBytes
        head.shm_bytes = JobFolders.sharedMemoryBytes
        head.program = try encoder.add(program, "argv[0]")
        head.working_directory = try encoder.addAbsolute(plan.workingDirectory, "working directory")
        if let workSource { head.work_source = try encoder.addAbsolute(workSource, "work directory") }
        // Parents before children: a later mount would hide what was mounted below it.
        let mounts = plan.mounts.sorted { Array($0.target.utf8).lexicographicallyPrecedes(Array($1.target.utf8)) }
        for mount in mounts { try encoder.add(mount) }
        let limits = plan.limits.resourceLimits(hasCgroup: requiredLayers.contains(.cgroup))
        for limit in limits { encoder.add(Self.limit(limit)) }
        for file in plan.files { try encoder.add(file) }
        for (index, argument) in plan.arguments.enumerated() { try encoder.addArgument(argument, index) }
        for variable in plan.environment { try encoder.addVariable(variable) }
        bytes = try encoder.finish(head)
    }

    private static func limit(_ limit: ResourceLimit) -> dome_jail_limit {
        let resource =
            switch limit.resource {
            case .coreBytes: RLIMIT_CORE
            case .processes: __RLIMIT_NPROC
            case .openFiles: RLIMIT_NOFILE
            case .fileBytes: RLIMIT_FSIZE
            case .processorSeconds: RLIMIT_CPU
            case .dataBytes: RLIMIT_DATA
            }
        return dome_jail_limit(resource: resource.rawValue, reserved: 0, soft: limit.soft, hard: limit.hard)
    }
}
