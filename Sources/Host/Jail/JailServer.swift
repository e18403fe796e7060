internal import CJail
package import DomeModel
package import DomePlatform
internal import Glibc

/// An inner server: one process that jails jobs, for one network mode. Confined to one thread.
///
/// It dies, and every job of it with it, when the last reference goes (its socket closes), when it is killed, or
/// with this process. `pidfd` is readable once all of them are dead.
package final class JailServer {
    package struct Configuration {
        /// A program with the room CJail in it: the keeper's own.
        package var binary = "/proc/self/exe"
        /// The host's network; otherwise an empty one (in which a job may ask for one of its own with `lo`).
        package var hasHostNetwork = false
        /// Die with the calling thread as well as by EOF; only for a program with a single thread.
        package var diesWithThread = false
        /// More host paths that every job sees read-only, e.g. /nix.
        package var systemPaths: [String] = []

        /// For tests: as if Landlock's ABI were at most this; -1: no Landlock; 0: as it is.
        package var landlockABILimit: Int32 = 0

        package init() {}
    }

    /// What the tool gets as 0, 1, 2 and 3, its controlling terminal, its control group. They are not kept.
    package struct Descriptors {
        package var standardInput: FileDescriptor?
        package var standardOutput: FileDescriptor?
        package var standardError: FileDescriptor?
        package var progress: FileDescriptor?
        package var terminal: FileDescriptor?
        /// The folder of the control group in which the job is born.
        package var cgroup: FileDescriptor?
        /// Where the job waits before its tool is exec'd; nil: it does not.
        package var gate: JailGate?

        package init() {}
    }

    /// Whether servers of this process are root's: their jobs drop to the spec's identity.
    package static var isPrivileged: Bool { dome_jail_is_privileged() != 0 }

    /// Whom jobs run as: root's servers drop to `JailIdentity.unprivileged`, others are the user's already.
    package static var jobUserID: UInt32 { isPrivileged ? JailIdentity.unprivileged.uid : geteuid() }

    /// What of this host every job of such a server sees, read-only; sorted.
    package static func systemPaths(_ configuration: Configuration) -> [String] {
        var paths: [String] = []
        var index = 0
        while let path = dome_jail_system_path(configuration.hasHostNetwork ? 1 : 0, index) {
            paths.append("/" + String(cString: path))
            index += 1
        }
        return (paths + configuration.systemPaths).filter { access($0, F_OK) == 0 }.sorted()
    }

    package let processID: Int32
    package let pidfd: FileDescriptor
    /// Readable when `receive` has something to say.
    package let replies: FileDescriptor
    /// Writable when it takes requests again.
    package let socket: FileDescriptor

    /// Starts it; its `ready` or `unusable` comes by `receive`.
    package init(_ configuration: Configuration) throws(DomeError) {
        var (server, stage) = (dome_jail_server(), UInt32(0))
        let paths: [UnsafeMutablePointer<CChar>?] = configuration.systemPaths.map { strdup($0) } + [nil]
        defer { paths.forEach { free($0) } }
        let status = configuration.binary.withCString { binary in
            paths.map { UnsafePointer($0) }.withUnsafeBufferPointer { paths in
                var config = dome_jail_server_config(
                    binary: binary, full_network: configuration.hasHostNetwork ? 1 : 0,
                    dies_with_thread: configuration.diesWithThread ? 1 : 0, system_paths: paths.baseAddress,
                    landlock_abi_limit: configuration.landlockABILimit)
                return dome_jail_spawn(&config, &server, &stage)
            }
        }
        guard status == 0 else {
            throw JailFailure(stage: stage, errno: -status, detail: configuration.binary).error
        }
        processID = server.pid
        pidfd = FileDescriptor(owning: server.pidfd)
        replies = FileDescriptor(owning: server.replies)
        socket = FileDescriptor(owning: server.socket)
    }

    /// Asks for a job. `token` names it from now on: not 0, not in use. The answer comes by `receive`.
    /// - Returns: false when the socket is full: try again once the server has read.
    package func start(token: UInt64, _ spec: JailSpec, _ descriptors: Descriptors) throws(DomeError) -> Bool {
        var numbers = dome_jail_descriptors(
            standard_input: descriptors.standardInput?.number ?? -1,
            standard_output: descriptors.standardOutput?.number ?? -1,
            standard_error: descriptors.standardError?.number ?? -1,
            progress: descriptors.progress?.number ?? -1, terminal: descriptors.terminal?.number ?? -1,
            cgroup: descriptors.cgroup?.number ?? -1, gate: descriptors.gate?.descriptor.number ?? -1)
        let status = spec.bytes.withUnsafeBytes {
            dome_jail_start(socket.number, token, $0.baseAddress, $0.count, &numbers)
        }
        return try check(status, "start a job")
    }

    /// `start` for a new server's only job. A server that could not make itself ready has left; what it said then is
    /// why, not the broken pipe.
    package func startOnly(token: UInt64, _ spec: JailSpec, _ descriptors: Descriptors) throws(DomeError) {
        do throws(DomeError) {
            guard try start(token: token, spec, descriptors) else {
                throw DomeError(.internal, "the inner server takes no job")
            }
        } catch {
            while case .reply(let reply) = try receive() {
                if case .unusable(let failure) = reply { throw failure.error }
            }
            throw error
        }
    }

    /// To the tool's process group; dropped while there is none.
    package func signal(_ number: Int32, token: UInt64) throws(DomeError) -> Bool {
        try check(dome_jail_signal(socket.number, token, number), "signal a job")
    }

    /// SIGKILL to everything in the job's namespace.
    package func kill(token: UInt64) throws(DomeError) -> Bool {
        try check(dome_jail_kill(socket.number, token), "kill a job")
    }

    package enum Received {
        case reply(JailReply)
        case nothing
        /// The server is dead or dying; `pidfd` says when all is.
        case closed
    }

    /// The next reply, without waiting.
    package func receive() throws(DomeError) -> Received {
        while true {
            var (reply, work) = (dome_jail_reply(), Int32(-1))
            switch dome_jail_receive(replies.number, &reply, &work) {
            case 1:
                if let known = JailReply(reply, work: work) { return .reply(known) }
            case 0: return .closed
            case -EAGAIN: return .nothing
            case let status: throw .system("read from the inner server", -status)
            }
        }
    }

    /// Writes the jobs' system call filter, Unix sockets allowed, as `bwrap --seccomp` reads it.
    package static func exportFilter(to file: FileDescriptor) throws(DomeError) {
        let status = dome_jail_export_filter(file.number, 1)
        guard status == 0 else { throw .system("write the system call filter", -status) }
    }

    private func check(_ status: Int32, _ what: String) throws(DomeError) -> Bool {
        switch status {
        case 0: return true
        case -EAGAIN: return false
        default: throw .system(what, -status)
        }
    }
}
