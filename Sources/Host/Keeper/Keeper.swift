// Room Keeper: the process that holds running jobs. It starts them through its inner servers, reads their pipes,
// writes their journals and reports their ends, so that domed may come and go while nothing is lost. One thread,
// one event loop, no Foundation, no concurrency runtime: it must stay small and never wait for anybody. It
// judges nothing: what a job may do was decided by domed, and what comes from the tool is only bytes.

import DomeJournal
import DomeLink
package import DomeModel
package import DomePlatform
import Glibc

/// A keeper: its jobs, its inner servers, its one domed. Confined to its event loop.
package final class Keeper {
    let configuration: KeeperConfiguration
    let loop: EventLoop
    var jobs: [JobID: JobRun] = [:]
    /// For network modes none and loopback, and for full.
    var servers: (isolated: InnerServer, hostNetwork: InnerServer)?
    /// Nil: no cgroup was delegated, jobs have only rlimits.
    private(set) var cgroups: CgroupPool?
    /// Why not, where they were not switched off.
    private(set) var cgroupProblem = ""
    /// The one domed that is served.
    var channel: PacketChannel?
    var isRetired = false
    /// Jobs whose heads domed has not been told.
    var dirtyJobs: [JobRun] = []
    var isHeadFlushScheduled = false
    /// Monotonic; when heads were last told.
    var lastHeadNanoseconds: Int64 = 0
    /// What pipes are read into, by one job after the other.
    let readBuffer: UnsafeMutableRawBufferPointer
    let journalScratch = JournalScratch()
    /// An empty standard input.
    let devNull: FileDescriptor
    /// domed-jail as it was when this keeper started, whatever is installed since; nil: the keeper's own binary.
    let jailProgram: FileDescriptor?
    private let listener: FileDescriptor
    private var listening: EventLoop.Registration?
    private var idleTimer: LoopTimer?

    /// Binds the socket. What lies at its path is replaced if nobody listens there.
    package init(_ configuration: KeeperConfiguration, on loop: EventLoop) throws(DomeError) {
        (self.configuration, self.loop) = (configuration, loop)
        devNull = try Files.open("/dev/null", O_RDWR)
        jailProgram = try Self.findJailProgram()
        listener = try Self.listen(configuration.socketPath)
        readBuffer = .allocate(byteCount: 64 << 10, alignment: 16)
    }

    deinit { readBuffer.deallocate() }

    /// The static domed-jail in ../lib/dome. Where there is none (a keeper that SwiftPM built for tests), the keeper's
    /// own binary does the same, only slower: the room CJail is in it.
    private static func findJailProgram() throws(DomeError) -> FileDescriptor? {
        let path = try Directories.ofExecutable() + "/../lib/dome/domed-jail"
        return Files.exists(path) ? try Files.open(path, O_RDONLY) : nil
    }

    /// Starts the inner servers and serves from now on; the loop stops when the keeper has nothing left to do.
    package func start() throws(DomeError) {
        let problem = takeCgroup()
        servers = (InnerServer(self, hasHostNetwork: false), InnerServer(self, hasHostNetwork: true))
        servers?.isolated.start(unless: problem)
        servers?.hostNetwork.start(unless: problem)
        listening = try loop.register(listener, interest: .readable) { [weak self] _ in self?.acceptConnections() }
        Log.info(
            "keeper.started",
            ["generation": "\(configuration.generation)", "socket": configuration.socketPath, "pid": "\(getpid())"])
        leaveIfIdle()
    }

    /// Before the first inner server is started: it stays in the group that the keeper is in. Returns why no job may be
    /// started.
    private func takeCgroup() -> String? {
        var folder: String?
        if case .none = configuration.cgroup { return nil }
        if case .folder(let path) = configuration.cgroup { folder = path }
        do throws(DomeError) {
            let tree = try CgroupTree(folder, generation: configuration.generation)
            Log.info("keeper.cgroup_ready", ["path": tree.path, "cpu": "\(tree.hasCPU)"])
            cgroups = CgroupPool(tree, on: loop)
            return nil
        } catch {
            Log.info("keeper.cgroup_unavailable", ["reason": error.message])
            cgroupProblem = error.message
            return folder.map { "jobs are to have control groups in \($0): \(error.message)" }
        }
    }

    private static func listen(_ path: String) throws(DomeError) -> FileDescriptor {
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try Files.makeDirectories(String(path[..<slash]))
        }
        do throws(DomeError) {
            return try UnixSocket.listen(path: path, kind: .packet)
        } catch {
            guard Files.exists(path) else { throw error }
            var isAlive = true
            do throws(DomeError) { _ = try UnixSocket.connect(path: path, kind: .packet) } catch {
                // Its backlog is full: it is there.
                isAlive = error.code == .resourceExhausted
            }
            guard !isAlive else { throw DomeError(.lockConflict, "another keeper listens on \(path)") }
            unlink(path)
            return try UnixSocket.listen(path: path, kind: .packet)
        }
    }

    private func acceptConnections() {
        do throws(DomeError) {
            while let socket = try UnixSocket.accept(listener) {
                let peer = try Peer.of(socket)
                guard peer.isAdmissible else {
                    Log.warning("keeper.peer_refused", ["pid": "\(peer.processID)", "uid": "\(peer.userID)"])
                    continue
                }
                try serve(socket)
            }
        } catch {
            Log.warning("keeper.accept_failed", ["error": error.description])
        }
    }

    /// Takes a new domed, in place of the old one: there is only one at a time, and the newest knows best.
    package func serve(_ socket: FileDescriptor) throws(DomeError) {
        channel?.close()
        idleTimer?.cancel()
        channel = try PacketChannel(
            socket, on: loop,
            onMessage: { [weak self] raw, _ in self?.take(raw) },
            onClosed: { [weak self] error in self?.disconnected(error) })
        channel?.onDrained = { [weak self] in self?.flushHeads() }
    }

    func disconnected(_ error: DomeError?) {
        if let error { Log.warning("keeper.connection_failed", ["error": error.description]) }
        channel = nil
        leaveIfIdle()
    }

    /// A job's name between the inner server and here; nobody can guess another's.
    func makeToken() -> UInt64 {
        UInt64.random(in: 1 ... .max)
    }

    func send(_ reply: KeeperReply, descriptors: [FileDescriptor] = []) {
        channel?.send(reply, descriptors: descriptors)
    }

    /// Asks to retire: from domed, or by SIGTERM. Jobs go on; the keeper leaves when the last was released.
    package func retire() {
        if !isRetired { Log.info("keeper.retired", ["jobs": "\(jobs.count)"]) }
        isRetired = true
        leaveIfIdle()
    }

    /// Ends the process's loop when there is nothing to hold: at once if retired, else after a while without domed.
    func leaveIfIdle() {
        idleTimer?.cancel()
        guard jobs.isEmpty else { return }
        if isRetired { return leave() }
        guard channel == nil else { return }
        idleTimer = loop.schedule(afterMilliseconds: configuration.idleExitMilliseconds) { [weak self] in
            guard let self, jobs.isEmpty, channel == nil else { return }
            leave()
        }
    }

    private func leave() {
        Log.info("keeper.leaving", ["generation": "\(configuration.generation)"])
        unlink(configuration.socketPath)
        listening?.cancel()
        loop.stop()
    }
}
