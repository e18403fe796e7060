package import DomeModel
import DomePlatform

/// How a keeper was started.
package struct KeeperConfiguration: Sendable, Equatable {
    /// Where domed finds it; a short path.
    package var socketPath: String
    /// The folder of all jobs' folders.
    package var jobsPath: String
    /// Newer keepers have higher numbers.
    package var generation: UInt64
    /// How long it stays without a domed and without jobs.
    package var idleExitMilliseconds: UInt64 = 60_000
    /// How long a job waits for a full disk before it is killed.
    package var diskFullGraceMilliseconds: UInt64 = 30_000
    /// Between two tries on a full disk.
    package var diskRetryMilliseconds: UInt64 = 1_000
    /// Where its jobs' control groups come from.
    package var cgroup = Cgroup.own

    /// Where control groups are made.
    package enum Cgroup: Sendable, Equatable {
        /// In the group that the keeper was started in, if it was delegated.
        case own
        /// Nowhere.
        case none
        /// In this folder of a cgroup v2 file system, without which no job is started.
        case folder(String)
    }

    package init(socketPath: String, jobsPath: String, generation: UInt64) {
        self.socketPath = socketPath
        self.jobsPath = jobsPath
        self.generation = generation
    }

    /// What `--help` prints.
    package static let usage = """
        usage: domed-keeper [--socket PATH] [--jobs FOLDER] [--generation N]
                            [--idle-exit-ms N] [--disk-full-grace-ms N] [--disk-retry-ms N]
                            [--cgroup own|none|FOLDER]
               domed-keeper --arguments FILE
        Holds running jobs for domed, which starts it. --cgroup: where each job gets a control group of its own; its own
        group by default, if that was delegated to it. --arguments: takes them from FILE, with a NUL between two.
        SIGTERM: take no more jobs, leave when the last has ended.

        """

    /// Reads the command line, without the program's name. What is not said comes from the user's folders;
    /// the generation then is the time of the start.
    ///
    /// - Throws: E_INVALID_REQUEST naming the argument.
    package init(arguments: [String]) throws(DomeError) {
        var values: [String: String] = [:]
        var rest = arguments[...]
        while let name = rest.popFirst() {
            guard Self.names.contains(name), let value = rest.popFirst() else {
                throw DomeError(.invalidRequest, "domed-keeper does not know '\(name)', or it lacks its value")
            }
            values[name] = value
        }
        func number(_ name: String, _ fallback: UInt64) throws(DomeError) -> UInt64 {
            guard let text = values[name] else { return fallback }
            guard let number = UInt64(text) else {
                throw DomeError(.invalidRequest, "domed-keeper \(name) wants a number, not '\(text)'")
            }
            return number
        }
        let started = UInt64(max(0, Clock.wallNanoseconds() / 1_000_000))
        generation = try number("--generation", started)
        if let socket = values["--socket"], let jobs = values["--jobs"] {
            (socketPath, jobsPath) = (socket, jobs)
        } else {
            let folders = try Directories()
            socketPath = values["--socket"] ?? "\(folders.state)/keepers/\(generation).sock"
            jobsPath = values["--jobs"] ?? folders.jobsPath
        }
        idleExitMilliseconds = try number("--idle-exit-ms", idleExitMilliseconds)
        diskFullGraceMilliseconds = try number("--disk-full-grace-ms", diskFullGraceMilliseconds)
        diskRetryMilliseconds = try number("--disk-retry-ms", diskRetryMilliseconds)
        cgroup = try Self.cgroup(values["--cgroup"] ?? "own")
    }

    /// What the file of `--arguments` holds.
    package static func arguments(fromFile bytes: [UInt8]) -> [String] {
        bytes.split(separator: 0, omittingEmptySubsequences: false).map { String(decoding: $0, as: UTF8.self) }
    }

    private static func cgroup(_ text: String) throws(DomeError) -> Cgroup {
        switch text {
        case "own": return .own
        case "none": return .none
        default:
            guard text.hasPrefix("/"), !text.utf8.contains(0) else {
                throw DomeError(
                    .invalidRequest, "domed-keeper --cgroup wants own, none or an absolute path, not '\(text)'")
            }
            return .folder(text)
        }
    }

    private static let names: Set<String> = [
        "--socket", "--jobs", "--generation", "--idle-exit-ms", "--disk-full-grace-ms", "--disk-retry-ms",
        "--cgroup",
    ]
}
