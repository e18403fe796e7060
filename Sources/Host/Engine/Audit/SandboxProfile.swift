internal import DomeCrypto
internal import DomeModel
internal import Synchronization

/// What a job's sandbox was meant to be: all of its plan but what is the job's own (program, environment, input). The digest
/// of it tells whether two jobs were held in the same one; which layers stood is known only when it has run.
struct SandboxProfile: Equatable {
    private let mounts: [Mount]
    private let network: NetworkMode
    private let hasUnixSockets: Bool
    private let limits: Limits
    private let usesTerminal: Bool

    init(_ plan: LaunchPlan) {
        mounts = plan.mounts
        network = plan.network
        hasUnixSockets = plan.mayMakeUnixSockets
        limits = plan.limits
        usesTerminal = plan.usesTerminal
    }

    private var document: JSONValue {
        [
            "mounts": .array(
                mounts.map {
                    [
                        "mode": $0.isWritable ? "write" : "read", "source": .string($0.source),
                        "target": .string($0.target),
                    ]
                }),
            "network": .string(network.name), "unix_sockets": .bool(hasUnixSockets), "terminal": .bool(usesTerminal),
            "limits": [
                "wall_ms": .count(limits.wallMilliseconds), "grace_ms": .count(limits.graceMilliseconds),
                "cpu_seconds": .count(limits.cpuSeconds), "cpu_percent": .count(limits.cpuPercent),
                "memory_bytes": .count(limits.memoryBytes), "processes": .count(limits.processes),
                "open_files": .count(limits.openFiles), "file_bytes": .count(limits.fileBytes),
                "output_bytes": .count(limits.outputBytes), "line_bytes": .count(limits.lineBytes),
                "disk_bytes": .count(limits.diskBytes), "idle_flush_ms": .count(limits.idleFlushMilliseconds),
            ],
        ]
    }

    /// Job after job it is the same: the last one is kept.
    private static let last = Mutex<(profile: SandboxProfile, digest: String)?>(nil)

    /// SHA-256 over canonical JSON (RFC 8785), in hexadecimal.
    var digest: String {
        if let known = Self.last.withLock({ $0?.profile == self ? $0?.digest : nil }) { return known }
        guard let digest = try? SHA256.digest(document.canonical).hex else { return "unknown" }
        Self.last.withLock { $0 = (self, digest) }
        return digest
    }
}
