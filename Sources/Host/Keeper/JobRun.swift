import DomeJail
import DomeJournal
import DomeLink
import DomeModel
import DomePlatform

/// One job from launch to release. Its state only goes forward; what belongs to which state stands in the
/// extensions: starting, output, ending.
final class JobRun {
    let jobID: JobID
    let token: UInt64
    let limits: Limits
    let usesTerminal: Bool
    unowned let keeper: Keeper
    let server: InnerServer

    var phase = KeeperJob.Phase.preparing
    let launchedNanoseconds = Clock.wallNanoseconds()
    var startedNanoseconds: Int64 = 0
    /// The running event's seq; 0 until it is written.
    private(set) var runningSeq: UInt64 = 0
    /// Whether domed has opened the gate, maybe before the job was at it.
    var mayRun: Bool
    /// Shut, while there is one.
    var gate: JailGate?
    /// Whether the job is to vanish without trace.
    var isAborted = false
    /// Why it is, if that is not what domed asked for.
    var refusal: DomeError?
    /// Why it ends, once that is settled by something else than the tool.
    var cause: EndCause?
    var message = ""
    /// Set when nothing of the job is alive any more.
    var report: ExitReport?
    /// /job, from the gate to the release.
    var work: FileDescriptor?
    /// Whether so much is in it that others would wait while it is freed.
    var isWorkLarge = false
    /// What it must have around it to pass its gate, and what it has.
    var requiredLayers: EnforcedLayers = []
    var layers: EnforcedLayers = []
    /// Its control group, from the launch to the end.
    var cgroup: JobCgroup?
    /// What its record says of limits that acted, behind the output.
    var limitEvents: [LinkEvent] = []
    var isDirty = false

    /// From the opening of the gate until the EXIT record is written.
    private(set) var recorder: OutputRecorder?
    /// The journal's state after that.
    private var lastHead: KeeperHead?
    /// Events that wait for their place in the journal: before the output that is read after them.
    var waitingEvents: [WaitingEvent] = []
    let runningEvent: LinkEvent?

    let standardOutput = CapturedPipe(.stdout)
    let standardError = CapturedPipe(.stderr)
    /// What a plugin's worker says besides, and what it said; nil for other programs.
    let reports: JobReports?
    /// What the tool reads from its terminal.
    var terminalInput: TerminalInput?

    var wallTimer: LoopTimer?
    var graceTimer: LoopTimer?
    var diskTimer: LoopTimer?
    /// Monotonic; when the disk first refused something, 0 while it does not.
    var diskFullSince: Int64 = 0

    struct WaitingEvent {
        var event: LinkEvent
        /// domed's number for it, if it wants to know.
        var number: UInt64?
        /// When it was, if that is not when it is written.
        var wallNanoseconds: Int64?
    }

    init(_ keeper: Keeper, _ launch: KeeperLaunch, _ server: InnerServer, token: UInt64) {
        (self.keeper, self.server, self.token) = (keeper, server, token)
        jobID = launch.plan.jobID
        limits = launch.plan.limits
        usesTerminal = launch.plan.usesTerminal
        mayRun = !launch.isGated
        runningEvent = launch.runningEvent
        reports = launch.plan.hasReports ? JobReports() : nil
    }

    /// Takes the journal over from domed, which makes it while the jail is built: it is there when the gate opens.
    func openJournal() throws(DomeError) {
        let writer = try JournalWriter.open(
            path: Journal.path(jobsPath: keeper.configuration.jobsPath, jobID), jobID, keepsReserve: true,
            scratch: keeper.journalScratch)
        guard writer.exit == nil, !writer.hasTerminal else {
            throw DomeError(.invalidTransition, "job \(jobID) has ended before")
        }
        recorder = OutputRecorder(writer: writer, limits: limits)
    }

    var head: KeeperHead {
        if let lastHead { return lastHead }
        guard let writer = recorder?.writer else { return KeeperHead(jobID: jobID, lastSeq: 0, byteLength: 0) }
        return KeeperHead(jobID: jobID, lastSeq: writer.lastSeq, byteLength: writer.byteLength)
    }

    var status: KeeperJob { KeeperJob(phase: phase, head: head, startedNanoseconds: startedNanoseconds) }

    /// Lets the journal go: from now on domed may write it.
    func giveUpWriting() {
        lastHead = head
        recorder?.writer.giveUp()
        recorder = nil
    }

    // MARK: Events from domed

    /// Appends an event that domed asks for.
    ///
    /// - Parameter wallNanoseconds: the time of the running event; others get the time at which they are written.
    func append(_ event: LinkEvent, number: UInt64?, wallNanoseconds: Int64? = nil) {
        guard phase != .exited else {
            if let number { keeper.send(.appended(jobID, number: number, seq: nil)) }
            return
        }
        waitingEvents.append(WaitingEvent(event: event, number: number, wallNanoseconds: wallNanoseconds))
        appendWaiting()
    }

    /// Writes the events that wait. False: the disk refused one.
    @discardableResult
    func appendWaiting() -> Bool {
        guard let recorder, !waitingEvents.isEmpty else { return true }
        guard !recorder.isBlocked else { return false }
        var written = 0
        defer {
            waitingEvents.removeFirst(written)
            if written > 0 { keeper.noteHead(self) }
        }
        while written < waitingEvents.count {
            let next = waitingEvents[written]
            do throws(DomeError) {
                let seq = try recorder.writer.appendEvent(
                    next.event.kind, next.event.payload,
                    wallNanoseconds: next.wallNanoseconds ?? Clock.wallNanoseconds())
                if next.wallNanoseconds != nil { runningSeq = seq }
                if let number = next.number { keeper.send(.appended(jobID, number: number, seq: seq)) }
            } catch  where error.code == .resourceExhausted {
                diskRefused(error)
                return false
            } catch {
                Log.error("keeper.event_lost", ["job": jobID.text, "error": error.description])
                if let number = next.number { keeper.send(.appended(jobID, number: number, seq: nil)) }
            }
            written += 1
        }
        return true
    }
}
