import DomeJail
import DomeModel
import DomePlatform
import Glibc

/// What the command line asks for.
struct Options {
    var server = JailServer.Configuration()
    var plan = LaunchPlan(jobID: JobID(createdMilliseconds: 0, random: (0, 0)), arguments: [], environment: [])
    var isProbe = false
    var isGated = false
    var hasProgress = false
    var usesTerminal = false
    /// A layer that nothing makes yet, so that a job must miss it.
    var requiresMissingLayer = false
    /// All layers that the keeper would ask for.
    var requiresAllLayers = false
    var workSource: String?
    /// A folder of the host of which the job gets a descriptor as 3: a hole in the mounts.
    var leakedFolder: String?
    /// A descriptor of the driver's that the job gets as stdout instead of a pipe.
    var outputNumber: Int32?
    /// Done once the first output has come.
    var onOutput: (Session) throws(DomeError) -> Void = { _ throws(DomeError) in }
    var onPrepared: ((Session) throws(DomeError) -> Void)?

    var requiredLayers: EnforcedLayers {
        if requiresMissingLayer { return .appArmor }
        guard requiresAllLayers else { return [] }
        return .required(
            hasHostNetwork: server.hasHostNetwork, isRoot: JailServer.isPrivileged,
            allowsUnixSockets: plan.allowsUnixSockets)
    }

    init(_ arguments: [String]) throws(DomeError) {
        plan.environment = ["PATH=/usr/bin:/bin"]
        plan.limits.diskBytes = 1 << 20
        server.diesWithThread = true
        var rest = arguments[...]
        while let option = rest.popFirst() {
            if option == "--" {
                plan.arguments = Array(rest)
                return
            }
            try take(option, &rest)
        }
    }

    private mutating func take(_ option: String, _ rest: inout ArraySlice<String>) throws(DomeError) {
        switch option {
        case "--probe": isProbe = true
        case "--gated": isGated = true
        case "--require-missing-layer": requiresMissingLayer = true
        case "--require-all": requiresAllLayers = true
        case "--eof-only": server.diesWithThread = false
        case "--progress": hasProgress = true
        case "--terminal": usesTerminal = true
        case "--full": (server.hasHostNetwork, plan.network) = (true, .full)
        case "--unix": plan.allowsUnixSockets = true
        case "--loopback": plan.network = .loopback
        case "--kill-on-output": onOutput = { session throws(DomeError) in try session.kill() }
        case "--term-on-output": onOutput = { session throws(DomeError) in try session.terminate() }
        case "--kill-at-gate": onPrepared = { session throws(DomeError) in try session.kill() }
        default: try take(option, value: rest.popFirst() ?? "")
        }
    }

    private mutating func take(_ option: String, value: String) throws(DomeError) {
        switch option {
        case "--read": plan.mounts.append(Mount(source: value, target: value, isWritable: false))
        case "--write": plan.mounts.append(Mount(source: value, target: value, isWritable: true))
        case "--read-replaced":
            // As it was checked, another file lay there.
            plan.mounts.append(Mount(source: value, target: value, isWritable: false, device: 1, inode: 1))
        case "--at":
            let parts = value.split(separator: "=").map(String.init)
            plan.mounts.append(Mount(source: parts[0], target: parts[1], isWritable: false))
        case "--env": plan.environment.append(value)
        case "--file":
            let parts = value.split(separator: "=").map(String.init)
            plan.files.append(PlannedFile(path: parts[0], mode: 0o640, bytes: Array(parts[1].utf8)))
        case "--work": workSource = value
        case "--leak": leakedFolder = value
        case "--landlock": server.landlockABILimit = Int32(value) ?? 0
        case "--cwd": plan.workingDirectory = value
        case "--processes": plan.limits.processes = UInt64(value) ?? 0
        case "--stdout": outputNumber = Int32(value)
        case "--system": server.systemPaths.append(value)
        case "--pad":
            // A spec too large for one datagram.
            let text = String(repeating: "x", count: 100_000)
            for index in 0..<(Int(value) ?? 0) { plan.environment.append("PAD\(index)=\(text)") }
        default: throw DomeError(.invalidRequest, "unknown option \(option)")
        }
    }
}
