import DomeLink
import DomeModel
import DomePlatform
import Glibc

/// domed's end of a keeper's socket, driven by hand: `wait` turns its loop until something is true.
final class FakeDomed {
    let loop: EventLoop
    private var channel: PacketChannel?
    private(set) var replies: [(reply: KeeperReply, descriptors: [FileDescriptor])] = []
    private(set) var isClosed = false
    static let running = LinkEvent(.stateChange, Array(#"{"to":"running"}"#.utf8))

    /// Connects, as soon as the keeper listens, and says hello.
    init(_ keeper: KeeperFixture, saysHello: Bool = true) throws {
        loop = try EventLoop()
        let deadline = Clock.monotonicNanoseconds() + 10_000_000_000
        while true {
            do {
                let socket = try UnixSocket.connect(path: keeper.socketPath, kind: .packet)
                channel = try PacketChannel(
                    socket, on: loop,
                    onMessage: { [unowned self] raw, descriptors in take(raw, descriptors) },
                    onClosed: { [unowned self] _ in isClosed = true })
                break
            } catch {
                guard Clock.monotonicNanoseconds() < deadline, !keeper.process.hasEnded else { throw error }
                usleep(1000)
            }
        }
        guard saysHello else { return }
        send(.hello(oldest: 1, current: 1))
        try wait("the list") { if case .listEnd = $0 { true } else { false } }
    }

    private func take(_ raw: UnsafeRawBufferPointer, _ descriptors: [FileDescriptor]) {
        do {
            if let reply = try KeeperReply.decode(raw) { replies.append((reply, descriptors)) }
        } catch { print("undecodable reply: \(error)") }
    }

    func send(_ request: KeeperRequest) { channel?.send(request) }

    /// Hangs up, as a dying domed does.
    func disconnect() {
        channel?.close()
        channel = nil
    }

    func turn(milliseconds: Int64 = 10) { loop.turn(maximumWaitNanoseconds: milliseconds * 1_000_000) }

    /// Turns until `isDone`.
    func wait(until what: String, seconds: Int64 = 20, _ isDone: () throws -> Bool) throws {
        let deadline = Clock.monotonicNanoseconds() + seconds * 1_000_000_000
        while try !isDone() {
            guard Clock.monotonicNanoseconds() < deadline else {
                throw DomeError(.timeout, "waited in vain for \(what); last replies: \(replies.suffix(5).map(\.reply))")
            }
            turn()
        }
    }

    /// Waits for a reply, past or future.
    @discardableResult
    func wait(_ what: String, _ matches: (KeeperReply) -> Bool) throws -> (KeeperReply, [FileDescriptor]) {
        var found = replies.first { matches($0.reply) }
        try wait(until: what) {
            found = replies.first { matches($0.reply) }
            return found != nil
        }
        guard let found else { throw DomeError(.internal, "unreachable") }
        return (found.reply, found.descriptors)
    }

    @discardableResult
    func waitForExit(_ jobID: JobID) throws -> (exit: KeeperExit, work: FileDescriptor?) {
        let (reply, descriptors) = try wait("the exit of \(jobID)") {
            if case .exited(let exit) = $0 { exit.head.jobID == jobID } else { false }
        }
        guard case .exited(let exit) = reply else { throw DomeError(.internal, "unreachable") }
        return (exit, descriptors.first)
    }

    func waitUntilStarted(_ jobID: JobID) throws {
        try wait("the start of \(jobID)") { if case .started(jobID, _, _) = $0 { true } else { false } }
    }

    /// Makes the journal and launches.
    func launch(_ plan: LaunchPlan, on keeper: KeeperFixture, isGated: Bool = false) throws {
        try keeper.makeJournal(plan.jobID)
        send(.launch(KeeperLaunch(plan: plan, isGated: isGated, runningEvent: Self.running)))
    }

    /// Launches and waits for the end.
    func run(_ plan: LaunchPlan, on keeper: KeeperFixture) throws -> KeeperExit {
        try launch(plan, on: keeper)
        return try waitForExit(plan.jobID).exit
    }

    /// The inner server's last word.
    func server(hasHostNetwork: Bool) throws -> (status: KeeperInnerServer, pidfd: FileDescriptor?) {
        func find() -> (KeeperInnerServer, FileDescriptor?)? {
            for (reply, descriptors) in replies.reversed() {
                if case .innerServer(let status) = reply, status.hasHostNetwork == hasHostNetwork {
                    return (status, descriptors.first)
                }
            }
            return nil
        }
        try wait(until: "a ready inner server") { find()?.0.state == .ready }
        guard let found = find() else { throw DomeError(.internal, "unreachable") }
        return found
    }
}
