package import DomeAsync
package import DomeLink
package import DomeModel
package import DomePlatform

/// What a keeper has to say about jobs, in the order in which it said it.
package enum KeeperEvent {
    case prepared(JobID)
    case started(JobID, startedNanoseconds: Int64, seq: UInt64)
    /// Could not even be begun; the keeper has forgotten it and wrote nothing.
    case refused(JobID, DomeError)
    case head(KeeperHead)
    /// The job's namespace is empty; `workDirectory` is its /job, readable as long as the descriptor lives.
    case exited(KeeperExit, workDirectory: FileDescriptor?)
    /// The connection is gone. The keeper, and its jobs, may well live.
    case disconnected
}

/// domed's connection to one keeper.
@Core
package final class KeeperConnection {
    package let socketPath: String
    package private(set) var hello: KeeperHello?
    /// By whether their jobs see the host's network.
    package private(set) var innerServers: [Bool: KeeperInnerServer] = [:]
    /// The inner servers' pidfds: when all are readable, no job of this keeper is alive.
    package private(set) var innerProcesses: [Bool: ProcessHandle] = [:]
    /// Its jobs, as it listed them and as they came and went since.
    package private(set) var jobs: [JobID: KeeperJob.Phase] = [:]
    /// How far its jobs' journals were when it listed them.
    package private(set) var heads: [JobID: UInt64] = [:]
    /// Set when the list after hello is complete.
    package let listed = OneShot<Bool>()
    private var channel: PacketChannel?
    private let onEvent: @Core (KeeperConnection, KeeperEvent) -> Void
    private let onServersChanged: @Core (KeeperConnection) -> Void

    package init(
        socketPath: String, onEvent: @escaping @Core (KeeperConnection, KeeperEvent) -> Void,
        onServersChanged: @escaping @Core (KeeperConnection) -> Void
    ) {
        self.socketPath = socketPath
        self.onEvent = onEvent
        self.onServersChanged = onServersChanged
    }

    package var isOpen: Bool { channel?.isOpen ?? false }
    package var generation: UInt64 { hello?.generation ?? 0 }
    package var isRetired: Bool { hello?.isRetired ?? true }

    /// Connects and says hello; `listed` tells when the keeper has answered in full.
    package func open() throws(DomeError) {
        let socket = try UnixSocket.connect(path: socketPath, kind: .packet)
        let peer = try Peer.of(socket)
        guard peer.isAdmissible else {
            throw DomeError(.policyDenied, "\(socketPath) is answered by a process that is not this user's keeper")
        }
        try socket.setNonblocking(true)
        let channel = try PacketChannel(
            socket, on: Core.loop,
            onMessage: { [weak self] bytes, descriptors in
                Core.assumeIsolated { self?.take(bytes, descriptors) }
            },
            onClosed: { [weak self] error in
                Core.assumeIsolated { self?.closed(error) }
            })
        self.channel = channel
        channel.send(KeeperRequest.hello(oldest: LinkVersion.oldest, current: LinkVersion.current))
    }

    package func send(_ request: KeeperRequest) {
        switch request {
        case .launch(let launch): jobs[launch.plan.jobID] = .preparing
        case .release(let job): jobs[job] = nil
        default: break
        }
        channel?.send(request)
    }

    private func closed(_ error: DomeError?) {
        channel = nil
        Log.warning("keeper.disconnected", ["socket": socketPath, "reason": error?.message ?? "end of connection"])
        listed.set(false)
        onEvent(self, .disconnected)
    }

    private func take(_ bytes: UnsafeRawBufferPointer, _ descriptors: [FileDescriptor]) {
        do throws(DomeError) {
            // A kind of a newer keeper is nil: nothing that domed relies on.
            guard let reply = try KeeperReply.decode(bytes) else { return }
            take(reply, descriptors.first)
        } catch {
            channel?.close()
            closed(error)
        }
    }

    private func take(_ reply: KeeperReply, _ descriptor: FileDescriptor?) {
        switch reply {
        case .hello(let hello): self.hello = hello
        case .innerServer(let server):
            innerServers[server.hasHostNetwork] = server
            innerProcesses[server.hasHostNetwork] = descriptor.map {
                ProcessHandle(processID: server.processID, descriptor: $0)
            }
            onServersChanged(self)
        case .job(let job):
            jobs[job.head.jobID] = job.phase
            heads[job.head.jobID] = job.head.lastSeq
            onEvent(self, .head(job.head))
        case .listEnd: listed.set(true)
        case .prepared(let job):
            jobs[job] = .gated
            onEvent(self, .prepared(job))
        case .started(let job, let startedNanoseconds, let seq):
            jobs[job] = .running
            onEvent(self, .started(job, startedNanoseconds: startedNanoseconds, seq: seq))
        case .refused(let job, let code, let message):
            jobs[job] = nil
            onEvent(self, .refused(job, DomeError(code, message)))
        case .heads(let heads): for head in heads { onEvent(self, .head(head)) }
        case .exited(let exit):
            jobs[exit.head.jobID] = .exited
            onEvent(self, .exited(exit, workDirectory: descriptor))
        case .aborted(let job): jobs[job] = nil
        case .appended: break
        }
    }
}
