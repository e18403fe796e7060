package import DomeAsync
internal import DomeJournal
package import DomeModel
internal import DomePlatform

/// The folders and journals of jobs, as far as domed itself writes them: before a keeper takes a journal over, and
/// after it gave it up. On a thread of its own, because disks block.
package actor JobFiles {
    private let executor: LoopExecutor
    private let jobsPath: String
    package nonisolated let spares: SpareFolders
    /// What the jobs left, each content once.
    nonisolated let content: ContentStore
    /// The journals of jobs that executors drive, as long as those live.
    var driven: [JobID: DrivenJournal] = [:]
    /// Long journals of which the digests are being made.
    private var hashing: [JobID: OutputHashing] = [:]

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// - Parameters sparesPath, contentPath: folders of their own, on the same file system.
    package init(executor: LoopExecutor, jobsPath: String, sparesPath: String, contentPath: String) {
        self.executor = executor
        self.jobsPath = jobsPath
        content = ContentStore(folder: contentPath)
        spares = SpareFolders(folder: sparesPath, jobsPath: jobsPath)
    }

    /// Where the journal of a job lies.
    package nonisolated func journalPath(_ job: JobID) -> String { Journal.path(jobsPath: jobsPath, job) }

    /// Where what a job left in /job/out is kept.
    package nonisolated func artifactsPath(_ job: JobID) -> String {
        Journal.directory(jobsPath: jobsPath, job) + "/artifacts"
    }

    /// Makes a job's folder and journal with its first event, seq 1: queued, which it returns. Blocks, briefly if there is
    /// a spare.
    @discardableResult
    package nonisolated func create(
        _ job: JobID, from spare: SpareFolders.Spare? = nil
    ) throws(DomeError) -> EventHub.StateChange {
        let writer: JournalWriter
        if let spare {
            try spares.move(spare, to: Journal.directory(jobsPath: jobsPath, job))
            writer = try JournalWriter.open(path: journalPath(job), job)
        } else {
            writer = try JournalWriter.create(path: journalPath(job), job)
        }
        var change = EventHub.StateChange(
            seq: 0, wallNanoseconds: Clock.wallNanoseconds(), payload: stateChangePayload(from: nil, to: .queued))
        change.seq = try writer.appendEvent(
            .stateChange, change.payload, wallNanoseconds: change.wallNanoseconds)
        return change
    }

    /// Makes what `create` makes as far as it is not there: for a job that an earlier life of the daemon admitted.
    package func complete(_ job: JobID) throws(DomeError) {
        guard Files.exists(journalPath(job)) else {
            try create(job)
            return
        }
        let writer = try JournalWriter.open(path: journalPath(job), job)
        guard writer.lastSeq == 0 else { return }
        try writer.appendEvent(.stateChange, stateChangePayload(from: nil, to: .queued))
    }

    /// What a job's journal holds, for recovery.
    package func summary(_ job: JobID) throws(DomeError) -> JobJournal {
        let summary = try JournalSummary.scan(path: journalPath(job), job)
        return JobJournal(lastSeq: summary.lastSeq, exit: summary.exit)
    }

    /// Appends what is left to say and the one terminal event, unless an earlier life of the daemon did: then the
    /// ending of that event is the one that counts. Safe to repeat.
    ///
    /// Blocks, briefly: for the thread that writes the row right after it.
    static func finish(
        journal path: String, _ job: JobID, _ ending: JobEnding, _ artifacts: ArtifactOutcome = .none
    ) throws(DomeError) -> FinishedJournal {
        let writer: JournalWriter
        do throws(DomeError) { writer = try JournalWriter.open(path: path, job, damage: .setAside) } catch {
            guard error.code == .notFound else { throw error }
            writer = try JournalWriter.create(path: path, job)
        }
        guard !writer.hasTerminal else {
            let summary = try JournalSummary.scan(path: path, job)
            return FinishedJournal(
                lastSeq: writer.lastSeq, bytes: writer.byteLength,
                ending: JobEnding(payload: summary.terminalPayload) ?? ending)
        }
        if let payload = artifacts.guardPayload, try !saysArtifacts(path, job) {
            try writer.appendEvent(.guard, payload, mayUseReserve: true)
        }
        // An earlier try may have come as far as the error event.
        if ending.needsErrorEvent, try !JournalSummary.scan(path: path, job).endsWithError {
            try writer.appendEvent(.error, ending.errorPayload, mayUseReserve: true)
        }
        var terminal = EventHub.StateChange(
            seq: 0, wallNanoseconds: Clock.wallNanoseconds(),
            payload: ending.payload(artifacts: artifacts.artifacts.count))
        terminal.seq = try writer.appendEvent(
            .stateChange, terminal.payload, isTerminal: true, wallNanoseconds: terminal.wallNanoseconds,
            mayUseReserve: true)
        return FinishedJournal(lastSeq: terminal.seq, bytes: writer.byteLength, ending: ending, terminal: terminal)
    }

    /// Whether an earlier try has said already what was left out.
    private static func saysArtifacts(_ path: String, _ job: JobID) throws(DomeError) -> Bool {
        try JournalSummary.scan(path: path, job).lastGuardPayload.starts(with: ArtifactOutcome.guardPrefix.utf8)
    }

    /// Runs a diagnostic tool: it proves the daemon, so it needs no process. Returns how the job ends.
    package func runDiagnostic(_ job: JobID, _ diagnostic: DiagnosticRun) throws(DomeError) -> JobEnding {
        let writer = try JournalWriter.open(path: journalPath(job), job)
        // Repeated by recovery after a death in the middle: what was written stays, the rest follows.
        var written = writer.lastSeq
        func append(_ kind: EventKind, _ payload: [UInt8], _ stream: OutputStream, seq: UInt64) throws(DomeError) {
            guard seq > written else { return }
            written = try writer.appendEvent(kind, payload, stream: stream)
        }
        try append(.stateChange, stateChangePayload(from: .queued, to: .running), .none, seq: 2)
        switch diagnostic {
        case .noop:
            break
        case .log(let lines):
            for (index, line) in lines.enumerated() {
                try append(.log, Array(line.utf8), .stdout, seq: 3 + UInt64(index))
            }
        case .fail(let reason):
            return JobEnding(from: .running, state: .failed, reason: reason, message: "the task asked to fail")
        }
        return JobEnding(
            from: .running, state: .succeeded, reason: "exited", message: "exited with code 0", exitCode: 0)
    }

    /// Of what a job has written, a piece of its journal at a time: ask until there is an answer.
    func outputDigests(_ job: JobID) throws(DomeError) -> OutputDigests? {
        // Kept only while there is more of it, and lost with what cannot be read.
        let known = hashing.removeValue(forKey: job)
        let reading = if let known { known } else { try OutputHashing(path: journalPath(job), job) }
        let digests = try reading.advance()
        if digests == nil { hashing[job] = reading }
        return digests
    }

    /// Removes a job's folder with everything in it.
    package func remove(_ job: JobID) throws(DomeError) {
        try Files.removeTree(Journal.directory(jobsPath: jobsPath, job))
    }

    /// The folders over which the jobs' folders are spread.
    package func shards() throws(DomeError) -> [String] {
        guard Files.exists(jobsPath) else { return [] }
        return try Files.list(jobsPath).map { jobsPath + "/" + $0 }.filter(Files.isDirectory)
    }

    /// The jobs that have a folder in a shard.
    package func jobs(in shard: String) throws(DomeError) -> [JobID] {
        try Files.list(shard).compactMap(JobID.init)
    }
}

/// What recovery must know of a journal.
package struct JobJournal: Sendable {
    package var lastSeq: UInt64
    package var exit: ExitReport?
}

/// A journal that got its terminal event.
package struct FinishedJournal: Sendable {
    package var lastSeq: UInt64
    package var bytes: UInt64
    package var ending: JobEnding
    /// The terminal event, if it was written just now.
    package var terminal: EventHub.StateChange?
}

/// What a diagnostic tool does.
package enum DiagnosticRun: Sendable {
    case noop
    case log(lines: [String])
    case fail(reason: String)
}
