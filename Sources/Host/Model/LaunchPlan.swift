/// How a job reaches the network.
package enum NetworkMode: UInt8, Sendable {
    /// An empty network namespace.
    case none = 0
    /// A namespace of its own with only `lo`.
    case loopback = 1
    /// The host's network, its loopback included.
    case full = 2

    /// "none", "loopback", "full".
    package var name: String {
        switch self {
        case .none: "none"
        case .loopback: "loopback"
        case .full: "full"
        }
    }
}

/// Where a job's standard input comes from.
package enum StandardInput: Sendable, Equatable {
    case none
    case bytes([UInt8])
}

/// A file or folder of the host that a job sees.
package struct Mount: Sendable, Equatable {
    /// Absolute and fully resolved: no symbolic link may be met on the way.
    package var source: String
    /// Absolute path inside the job's root.
    package var target: String
    package var isWritable: Bool
    /// st_dev and st_ino of what was checked; the jail refuses what has taken its place since. Both 0: not compared.
    package var device: UInt64
    package var inode: UInt64
    /// For what everybody may read: where root's jobs are somebody else, the owner stays as on disk, so that a file
    /// system without id-mapped mounts will do.
    package var isPlain = false

    package init(source: String, target: String, isWritable: Bool, device: UInt64 = 0, inode: UInt64 = 0) {
        self.source = source
        self.target = target
        self.isWritable = isWritable
        self.device = device
        self.inode = inode
    }
}

/// A small file put below /job before the job starts.
package struct PlannedFile: Sendable, Equatable {
    /// Relative to /job, no `..`.
    package var path: String
    package var mode: UInt32
    package var bytes: [UInt8]

    package init(path: String, mode: UInt32, bytes: [UInt8]) {
        self.path = path
        self.mode = mode
        self.bytes = bytes
    }
}

/// Everything the keeper needs to start one job. Made by the engine from an executor's request, the
/// manifest, the policy and the caller's grants; the keeper enforces it and judges nothing.
package struct LaunchPlan: Sendable, Equatable {
    package var jobID: JobID
    /// argv[0] is an absolute path or a name looked up in the PATH of `environment`, inside the job's root.
    package var arguments: [String]
    /// NAME=VALUE pairs, complete: nothing is inherited.
    package var environment: [String]
    package var workingDirectory: String = "/job"
    package var standardInput: StandardInput = .none
    package var files: [PlannedFile] = []
    package var mounts: [Mount] = []
    package var network: NetworkMode = .none
    /// Whether the job may make Unix sockets although it can reach the host's.
    package var allowsUnixSockets = false
    package var limits = Limits()
    /// Whether stdin, stdout and stderr are one pseudo-terminal.
    package var usesTerminal = false
    /// Whether the program reports on descriptor 3, as the room Link's WorkerReport has it, and has to say there how
    /// its work ended.
    package var hasReports = false

    package init(jobID: JobID, arguments: [String], environment: [String]) {
        self.jobID = jobID
        self.arguments = arguments
        self.environment = environment
    }

    /// Whether the job may make Unix sockets besides pairs: by permission, or because it can reach none of the host's,
    /// neither through a granted path (a read-only mount does not stop connect) nor, with the host's network, by an
    /// abstract name.
    package var mayMakeUnixSockets: Bool { allowsUnixSockets || mounts.isEmpty && network != .full }
}

/// Why a job ended, as the keeper knows it.
package enum EndCause: UInt8, Sendable {
    /// The tool ended by itself (exit or signal).
    case exited = 0
    /// domed asked for it.
    case canceled = 1
    /// The wall limit.
    case timeout = 2
    /// The journal's disk stayed full longer than the grace.
    case diskFull = 3
    /// It never started; `message` names the stage and the errno.
    case launchFailed = 4
    /// The keeper died with it.
    case keeperLost = 5
    /// A plugin's worker: its call failed, or it ended without saying how; `message` has the plugin's reason.
    case pluginFailed = 6
    /// It was driven elsewhere and failed there, without an exit code.
    case failedElsewhere = 7
    /// It was driven elsewhere, and its executor or what is behind it knows of no such job any more.
    case executorLost = 8
    /// The keeper was ended with the user's last session, or with the machine.
    case sessionEnded = 9

    package var name: String {
        switch self {
        case .exited: "exited"
        case .canceled: "canceled"
        case .timeout: "timeout"
        case .diskFull: "disk_full"
        case .launchFailed: "launch_failed"
        case .keeperLost: "keeper_lost"
        case .pluginFailed: "plugin_failed"
        case .failedElsewhere: "failed_elsewhere"
        case .executorLost: "executor_lost"
        case .sessionEnded: "session_ended"
        }
    }
}

/// The journal's EXIT record: not an event, but all that is needed to make the terminal one, again and again.
package struct ExitReport: Sendable, Equatable {
    package var cause: EndCause
    /// As waitpid gave it; meaningless unless the tool started.
    package var rawWaitStatus: Int32 = 0
    package var userMicroseconds: UInt64 = 0
    package var systemMicroseconds: UInt64 = 0
    /// Of the largest single process.
    package var maxResidentKilobytes: UInt64 = 0
    /// Of the whole job at its peak, files in /job and /tmp included; only a control group knows.
    package var peakMemoryBytes: UInt64?
    /// File data that the job made for disks; /job, /tmp and pipes are none.
    package var diskWrittenBytes: UInt64?
    /// What lay in /job at the end, where that is a file system of the job's own.
    package var workUsedBytes: UInt64?
    /// Nanoseconds since 1970; 0 if it never started.
    package var startedNanoseconds: Int64 = 0
    package var endedNanoseconds: Int64 = 0
    /// The sandbox layers in force, a bit each (see the room Jail).
    package var enforcedLayers: UInt64 = 0
    /// Whether /job has, or may have, the folder whose files are kept.
    package var hasOutput = false
    /// For people: the failing stage, the limit that ended it.
    package var message: String = ""

    /// The name of that folder in /job.
    package static let outputFolder = "out"

    package init(cause: EndCause) { self.cause = cause }

    /// The exit code if the tool exited by itself.
    package var exitCode: Int32? {
        rawWaitStatus & 0x7f == 0 ? (rawWaitStatus >> 8) & 0xff : nil
    }

    /// The signal that ended the tool, if one did.
    package var signal: Int32? {
        let number = rawWaitStatus & 0x7f
        return number == 0 || number == 0x7f ? nil : number
    }
}
