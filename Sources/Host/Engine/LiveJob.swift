internal import DomeAsync
internal import DomeCatalog
internal import DomeLink
internal import DomeModel
internal import DomePlatform
internal import DomeStore

/// A job between its admission and its end.
@Core
final class LiveJob {
    let id: JobID
    let toolID: String
    let profile: String
    let caller: Caller
    let createdNanoseconds: Int64
    let priority: Int64
    /// What can be written of its end before it ends, once that has been put together.
    var documents: JobDocuments?
    /// What it takes to start it; nil for one whose request is no longer good after a restart.
    let request: AcceptedRequest?
    /// What is known of its provenance before it runs.
    var provenance: JSONObject

    /// The question to the executor, once it was asked.
    var planning: Result<Planning, DomeError>?
    var state: JobState = .queued
    var startedNanoseconds: Int64?
    /// Whether it has one of the places for running jobs.
    var hasPlace = false
    var isCancelRequested = false
    /// Whether its gate was opened: from here on the keeper alone can end it.
    var isOnItsWay = false
    var keeper: KeeperConnection?
    var plan: LaunchPlan?
    /// Whether its executor drives it: no keeper has it, no sandbox of ours holds it.
    var isElsewhere = false
    /// Set once it is handed over, or about to be.
    var drive: Drive?
    /// Set when clients may see the job: between its admission's commit and then, whoever asks waits. False: it
    /// never came to be.
    let isVisible = OneShot<Bool>()
    /// Set when it is settled whether its program is there, as far as it can be. The refusal if it is not.
    let isExamined = OneShot<DomeError?>()
    /// Set when the keeper has its plan, or never will.
    let launched = OneShot<Result<Void, DomeError>>()
    /// What the keeper said: at the gate, at the end.
    let gate = OneShot<GateOutcome>()
    let exit = OneShot<JobExit>()
    /// The job's last word: set after the finish commit.
    let end = OneShot<JobReport>()
    /// What git says of the caller's folder; asked while the job runs.
    let source = OneShot<GitFacts>()
    /// And of the tool's, if it is one of the user's own.
    let toolSource = OneShot<GitFacts?>()

    /// A job to be admitted.
    init(_ accepted: AcceptedRequest, id: JobID) {
        self.id = id
        // With the version, if its caller named one.
        toolID = accepted.request.skillID
        profile = accepted.request.profile
        caller = accepted.request.caller
        createdNanoseconds = Clock.wallNanoseconds()
        priority = accepted.constraints.priority
        request = accepted
        provenance = [:]
    }

    /// A job that an earlier life of the daemon admitted.
    init(_ detail: JobDetail, request: AcceptedRequest?, provenance: JSONObject) {
        let record = detail.record
        id = record.jobID
        toolID = record.toolID
        profile = record.profile
        caller = record.caller
        createdNanoseconds = record.createdNanoseconds
        priority = request?.constraints.priority ?? 0
        self.request = request
        self.provenance = provenance
        state = record.state
        startedNanoseconds = record.startedNanoseconds
    }

    /// Where it stands now.
    func report(lastSeq: UInt64) -> JobReport {
        var report = JobReport(
            jobID: id, toolID: toolID, profile: profile, state: state, createdNanoseconds: createdNanoseconds,
            lastSeq: lastSeq)
        report.startedNanoseconds = startedNanoseconds
        report.provenance = .object(provenance)
        if isCancelRequested { report.message = "cancel requested" }
        if let drive {
            let parts = [report.message, drive.trouble, drive.note].filter { !$0.isEmpty }
            report.message = parts.joined(separator: "; ")
        }
        return report
    }
}

/// An executor that was asked for a job's plan.
struct Planning: Sendable {
    var executor: String
    var bounds: PlanBounds
    var answer: OneShot<Result<ExecutorWorker.Answer, DomeError>>
}

/// What came of preparing a job up to the gate.
enum GateOutcome: Sendable {
    case ready
    /// Nothing of it is left in the keeper.
    case refused(DomeError)
    /// It ended before the gate; `exit` has come as well.
    case ended
}

/// How a job's process side ended.
struct JobExit: Sendable {
    var report: ExitReport
    /// Its /job, if there is anything to collect.
    var work: WorkFolder?
    /// Whether a keeper was there to look.
    var isSeen = false
}

/// A job's /job, which may be the last reference to a gigabyte: it is let go on a thread of its own.
final class WorkFolder: @unchecked Sendable {
    /// Nil in deinit alone, hence unchecked.
    private(set) var descriptor: FileDescriptor?

    init(_ descriptor: FileDescriptor) { self.descriptor = descriptor }

    deinit { FileDescriptor.closeElsewhere(&descriptor) }
}
