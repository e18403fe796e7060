import DomeJail
import DomeLink
import DomeModel
import DomePlatform
import Glibc

/// `domed-keeper --confine`: a keeper for one program that is no job. It has no journal and keeps nothing; when it is
/// ended, the jail goes with it.
package enum Confinement {
    private static let token: UInt64 = 1

    /// Runs the program and ends this process as it ended.
    /// - Parameter hasChannel: whether it was given one. (That the number is open proves nothing: it may be ours.)
    package static func run(hasChannel: Bool) -> Never {
        do throws(DomeError) {
            let plan = try ConfinedLaunch.plan(from: FileDescriptor(owning: ConfinedLaunch.planDescriptor))
            end(try run(plan, hasChannel))
        } catch {
            tell(error, hasChannel)
            exit(ConfinedLaunch.failureStatus)
        }
    }

    private static func run(_ plan: LaunchPlan, _ hasChannel: Bool) throws(DomeError) -> Int32 {
        var configuration = JailServer.Configuration()
        configuration.hasHostNetwork = plan.network == .full
        // One thread, so that the jail cannot outlive this process.
        configuration.diesWithThread = true
        let program = try Directories.ofExecutable() + "/../lib/dome/domed-jail"
        if Files.exists(program) { configuration.binary = program }
        let server = try JailServer(configuration)
        let required = EnforcedLayers.required(
            hasHostNetwork: configuration.hasHostNetwork, isRoot: JailServer.isPrivileged,
            allowsUnixSockets: plan.allowsUnixSockets)
        let spec = try JailSpec(plan, requiredLayers: required)
        let null = try Files.open("/dev/null", O_RDWR)
        var descriptors = JailServer.Descriptors()
        descriptors.standardInput = null
        if case .bytes(let bytes) = plan.standardInput {
            descriptors.standardInput = try bytes.withBytes { raw throws(DomeError) in
                try SealedMemory.make(named: "dome-stdin", raw)
            }
        }
        // Copies: this process's own are for what is to be said if nothing can be started.
        descriptors.standardOutput = try duplicate(1)
        descriptors.standardError = try duplicate(2)
        if hasChannel { descriptors.progress = try duplicate(ConfinedLaunch.channelDescriptor) }
        try server.startOnly(token: token, spec, descriptors)
        descriptors = JailServer.Descriptors()
        return try wait(server, null, hasChannel)
    }

    private static func duplicate(_ number: Int32) throws(DomeError) -> FileDescriptor {
        let copy = fcntl(number, F_DUPFD_CLOEXEC, 10)
        guard copy >= 0 else { throw .system("duplicate descriptor \(number)", errno) }
        return FileDescriptor(owning: copy)
    }

    private static func wait(_ server: JailServer, _ null: FileDescriptor, _ hasChannel: Bool) throws(DomeError)
        -> Int32
    {
        while true {
            switch try server.receive() {
            case .reply(.executed):
                // The ends are the program's own from here on: whoever waits for them must not wait for us.
                dup2(null.number, 1)
                dup2(null.number, 2)
                if hasChannel { close(ConfinedLaunch.channelDescriptor) }
            case .reply(.exited(_, let exit)): return exit.rawWaitStatus
            case .reply(.failed(_, let failure)), .reply(.unusable(let failure)): throw failure.error
            case .reply: break
            case .closed: throw DomeError(.internal, "its sandbox server died")
            case .nothing:
                var poller = pollfd(fd: server.replies.number, events: Int16(POLLIN), revents: 0)
                _ = poll(&poller, 1, -1)
            }
        }
    }

    /// As a shell tells it: the exit code, or 128 and the signal.
    private static func end(_ status: Int32) -> Never {
        let number = status & 0x7f
        exit(number == 0 ? status >> 8 & 0xff : 128 + number)
    }

    /// Says why there is no program, in the words that whoever started it listens for.
    private static func tell(_ error: DomeError, _ hasChannel: Bool) {
        let message = "it could not be confined: \(error.message)"
        Log.error("keeper.confine_failed", ["error": error.description])
        if hasChannel {
            let link = WorkerLink(FileDescriptor(owning: ConfinedLaunch.channelDescriptor))
            _ = try? link.send(.failed(request: 0, code: error.code, message: message))
        } else {
            let bytes = WorkerReport.failed(message).bytes
            _ = write(1, bytes, bytes.count)
        }
    }
}
