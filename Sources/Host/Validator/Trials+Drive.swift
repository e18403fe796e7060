internal import DomeCatalog
internal import DomeLink
internal import DomeModel
internal import DomePlatform
internal import PluginABI

// Executors that drive jobs elsewhere (executor_drive.h). What starts jobs is tried only if plugin.json says that it
// may be: "x-check": {"drive": true}.
extension Validator {
    /// A call about a driven job is to come back within this.
    private static let patienceMicroseconds: Int64 = 1_000_000
    /// A job that was canceled by force is to end within this.
    private static let endMilliseconds: Int64 = 10_000

    static let driveTrials: [Trial] = [
        Trial("drive-table", "the table for driven jobs, where it is, is whole", kind: .executor) {
            bench throws(TrialEnd) in
            let table = try driver(bench).driveTable()
            let own = UInt64(MemoryLayout<dome_executor_drive_api_t>.size)
            try require(
                table.structSize >= own && table.structSize <= 4096,
                "struct_size is \(table.structSize), the host's is \(own): set it to sizeof(dome_executor_drive_api_t)")
            for (index, name) in ["start", "poll", "cancel", "recover"].enumerated() {
                try require(index < table.present.count && table.present[index], "\(name) is NULL")
            }
            let artifacts = table.present.dropFirst(4).filter { $0 }.count
            try require(artifacts != 1, "only one of list_artifacts and read_artifact is there: set both, or none")
            return "\(4 + artifacts) functions"
        },
        Trial(
            "drive-unknown-handles", "a handle that it never gave is refused, by DOME_NOT_FOUND if it can be known",
            kind: .executor
        ) { bench throws(TrialEnd) in
            let strangers: [[UInt8]] = [
                Array("no-such-handle".utf8), [], Array("../../etc/passwd".utf8), [0xff, 0xfe],
                [UInt8](repeating: 0x61, count: 4_096),
            ]
            for handle in strangers {
                for step in [Stage.DriveStep.recover, .poll, .cancel] {
                    let outcome = try driver(bench).drive(step, handle)
                    let name = String(decoding: handle.prefix(40), as: UTF8.self)
                    let mayBe = [DOME_INVALID, DOME_DENIED, DOME_NOT_FOUND, DOME_UNAVAILABLE]
                    let isCancel = step == .cancel && outcome.isOK
                    try require(
                        isCancel || mayBe.contains(Int32(clamping: outcome.status)),
                        "\(step) of '\(name)' came to \(outcome.statusName): answer DOME_NOT_FOUND")
                    try soon(outcome, "\(step)")
                }
            }
            return "\(strangers.count) of them"
        },
        Trial("drive-same-job-same-handle", "the same job started twice has one handle", kind: .executor) {
            bench throws(TrialEnd) in
            let job = try drivenJob(bench)
            let stage = try driver(bench)
            let first = try start(stage, job)
            defer { end(stage, first) }
            let second = try start(stage, job)
            try require(first == second, "start gave '\(first)' and then '\(second)' for one job_id")
            let other = try start(try driver(bench), job)
            try require(first == other, "another process of it gave '\(other)' for the job that it knew as '\(first)'")
            return "3 times"
        },
        Trial(
            "drive-polls-are-reports", "poll answers with a state, a cursor and output, again if it is asked again",
            kind: .executor
        ) { bench throws(TrialEnd) in
            let stage = try driver(bench)
            let handle = try start(stage, try drivenJob(bench))
            defer { end(stage, handle) }
            let first = try poll(stage, handle)
            let again = try poll(stage, handle)
            let (told, retold) = (first.output.flatMap(\.bytes), again.output.flatMap(\.bytes))
            try require(
                retold.starts(with: told),
                "asked twice with one cursor it gave other output: keep it until a later one is used"
            )
            return "\(first.state)"
        },
        Trial("drive-recovers", "another process takes a handle up again", kind: .executor) { bench throws(TrialEnd) in
            let stage = try driver(bench)
            let handle = try start(stage, try drivenJob(bench))
            defer { end(stage, handle) }
            let other = try driver(bench)
            let outcome = try other.drive(.recover, Array(handle.utf8))
            try require(outcome.isOK, "recover came to \(outcome.statusName), \(outcome.explanationText)")
            _ = try poll(other, handle)
            return "and answers for it"
        },
        Trial("drive-cancel-ends", "a job that is canceled by force ends, and may be canceled again", kind: .executor) {
            bench throws(TrialEnd) in
            let stage = try driver(bench)
            let handle = try start(stage, try drivenJob(bench))
            for step in [Stage.DriveStep.cancel, .cancelByForce] {
                let outcome = try stage.drive(step, Array(handle.utf8))
                try require(outcome.isOK, "cancel came to \(outcome.statusName), \(outcome.explanationText)")
            }
            let state = try untilEnded(stage, handle)
            let again = try stage.drive(.cancel, Array(handle.utf8))
            try require(
                again.isOK || again.status == Int64(DOME_NOT_FOUND),
                "canceled again after its end it came to \(again.statusName)")
            return "as \(state)"
        },
    ]

    /// An executor that drives jobs, in a process of its own. Skips for any other.
    static func driver(_ bench: Bench) throws(TrialEnd) -> Stage {
        let stage = try bench.stage(.instance)
        guard try stage.driveTable().address != 0 else { throw .skipped("it drives no jobs") }
        return stage
    }

    static func drivenJob(_ bench: Bench) throws(TrialEnd) -> [UInt8] {
        guard bench.examples?["drive"]?.boolValue == true else {
            _ = try driver(bench)
            throw .skipped("it would start jobs: say with plugin.json \"x-check\": {\"drive\": true} that it may")
        }
        guard let job = try bench.examplesToCall().first else { throw .skipped("there is no job to start") }
        return Array(job.payload.compact.utf8)
    }

    static func start(_ stage: Stage, _ job: [UInt8]) throws(TrialEnd) -> String {
        let outcome = try stage.drive(.start, job)
        guard outcome.status != Int64(DOME_UNAVAILABLE) else {
            throw .skipped("start: \(outcome.statusName), \(outcome.explanationText)")
        }
        try require(outcome.isOK, "start failed: \(outcome.statusName), \(outcome.explanationText)")
        do throws(DomeError) { return try DriveReport.handle(in: outcome.reply) } catch { throw .failed(error.message) }
    }

    private static func poll(
        _ stage: Stage, _ handle: String, _ state: DriveReport.State = .queued, _ cursor: String = ""
    ) throws(TrialEnd) -> DriveReport {
        let outcome = try stage.drive(.poll, Array(handle.utf8), cursor: cursor)
        try require(outcome.isOK, "poll failed: \(outcome.statusName), \(outcome.explanationText)")
        try soon(outcome, "poll")
        do throws(DomeError) { return try DriveReport(outcome.reply, after: state, cursor) } catch {
            throw .failed(error.message)
        }
    }

    /// The state in which a job ends that was canceled by force.
    static func untilEnded(_ stage: Stage, _ handle: String) throws(TrialEnd) -> DriveReport.State {
        let deadline = Clock.monotonicNanoseconds() + endMilliseconds * 1_000_000
        var (cursor, state) = ("", DriveReport.State.queued)
        while !state.isTerminal {
            try require(
                Clock.monotonicNanoseconds() < deadline,
                "it is '\(state)' still, \(endMilliseconds / 1000) s after it was canceled by force")
            let report = try poll(stage, handle, state, cursor)
            (cursor, state) = (report.cursor, report.state)
        }
        return state
    }

    static func soon(_ outcome: CallOutcome, _ what: String) throws(TrialEnd) {
        try require(
            outcome.microseconds <= patienceMicroseconds,
            "\(what) took \(outcome.microseconds / 1000) ms: answer with what is known, do not wait")
    }

    /// What a trial started is not left running.
    private static func end(_ stage: Stage, _ handle: String) {
        _ = try? stage.drive(.cancelByForce, Array(handle.utf8))
    }
}
