internal import DomeJournal
internal import DomeLink
internal import DomeModel
internal import DomePlatform

/// The journal of a job that an executor drives, written by domed itself. What one report brings is written as a batch
/// that a STATE record ends: the cursor with which to ask on, and the recorder's unfinished business. A batch without its
/// record, cut short by a death, is dropped when the journal is opened again, and comes once more, because the executor
/// is then asked with the older cursor. Followers are shown whole batches only. Not thread-safe.
final class DrivenJournal {
    /// How far it is.
    struct Head: Sendable, Equatable {
        var lastSeq: UInt64
        var state: DriveReport.State = .queued
        var cursor = ""
        /// Nanoseconds since 1970; nil until it was said to run.
        var startedNanoseconds: Int64?
    }

    private(set) var head: Head
    private let writer: JournalWriter
    private let recorder: OutputRecorder
    private var hasSaidCancel = false
    /// Whether events are written that no STATE record follows yet.
    private var isUnsettled = false
    /// The report that was taken last: one that the disk refused in the middle comes again.
    private var taken: UInt64 = 0

    private static let version: UInt8 = 1

    init(path: String, _ job: JobID, _ limits: DriveLimits) throws(DomeError) {
        let (writer, state) = try JournalWriter.openSettled(path: path, job)
        self.writer = writer
        head = Head(lastSeq: writer.lastSeq)
        guard let state else {
            recorder = OutputRecorder(writer: writer, limits: limits.recorded)
            return
        }
        (head, hasSaidCancel, recorder) = try state.withBytes { raw throws(DomeError) in
            var reader = ByteReader(raw)
            guard try reader.readUInt8() == Self.version,
                let phase = DriveReport.State(rawValue: try reader.readUInt8())
            else { throw DomeError(.internal, "journal of \(job) has a STATE record of another version") }
            var head = Head(lastSeq: writer.lastSeq, state: phase)
            let hasSaidCancel = try reader.readBool()
            let started = try reader.readInt64()
            head.startedNanoseconds = started == 0 ? nil : started
            head.cursor = try reader.readString()
            return (head, hasSaidCancel, try OutputRecorder(writer: writer, limits: limits.recorded, from: &reader))
        }
    }

    /// The EXIT record, if an earlier life of the daemon came to write it.
    var exit: ExitReport? { writer.exit }

    /// Writes what `report` brings. E_RESOURCE_EXHAUSTED while the disk is full: then call it again with the same
    /// `number`, which no other report has.
    func take(_ report: DriveReport, number: UInt64) throws(DomeError) -> Head {
        if taken != number {
            try start(with: report)
            var refusal: DomeError?
            do throws(DomeError) { try flushIdle(report) } catch { refusal = error }
            for piece in report.output {
                // What the disk refuses waits in the recorder.
                do throws(DomeError) { try take(piece) } catch { refusal = error }
            }
            if report.cursor != head.cursor || !report.output.isEmpty { isUnsettled = true }
            head.cursor = report.cursor
            taken = number
            if let refusal { throw refusal }
        }
        if recorder.isBlocked { try recorder.retry() }
        try settle()
        return head
    }

    /// The event that says it runs, once; also for one that was over before anybody saw it run.
    private func start(with report: DriveReport) throws(DomeError) {
        if head.state == .queued, report.state != .queued, report.state != .canceled {
            let now = Clock.wallNanoseconds()
            try writer.appendEvent(
                .stateChange, stateChangePayload(from: .queued, to: .running), wallNanoseconds: now)
            head.startedNanoseconds = now
            head.state = .running
            isUnsettled = true
        }
    }

    /// A line that was begun in an earlier report and has not gone on in this one is shown as far as it goes.
    private func flushIdle(_ report: DriveReport) throws(DomeError) {
        for stream in [OutputStream.stdout, .stderr]
        where recorder.hasUnterminatedLine(stream) && !report.output.contains(where: { $0.stream == stream }) {
            try recorder.flushIdle(stream)
            isUnsettled = true
        }
    }

    private func take(_ piece: DriveReport.Piece) throws(DomeError) {
        let now = Clock.wallNanoseconds()
        var rest = piece.bytes[...]
        var refusal: DomeError?
        while !rest.isEmpty {
            do throws(DomeError) {
                try Array(rest.prefix(64 << 10)).withBytes { raw throws(DomeError) in
                    try recorder.take(raw, from: piece.stream, wallNanoseconds: now)
                }
            } catch { refusal = error }
            rest = rest.dropFirst(64 << 10)
        }
        if let refusal { throw refusal }
    }

    /// Says once that somebody asked for its end.
    func noteCancel(_ payload: [UInt8]) throws(DomeError) -> Head {
        if !hasSaidCancel {
            try writer.appendEvent(.guard, payload)
            (hasSaidCancel, isUnsettled) = (true, true)
        }
        // What the disk refused is settled with the report that brought it.
        if !recorder.isBlocked { try settle() }
        return head
    }

    private func settle() throws(DomeError) {
        guard isUnsettled else { return }
        var bytes = ByteWriter(capacity: 256)
        bytes.write(Self.version)
        bytes.write(head.state.rawValue)
        bytes.write(hasSaidCancel)
        bytes.write(head.startedNanoseconds ?? 0)
        bytes.write(head.cursor)
        recorder.write(to: &bytes)
        try writer.appendState(bytes.bytes)
        isUnsettled = false
        head.lastSeq = writer.lastSeq
    }

    /// Writes what is left of the output and the EXIT record, and lets the journal go. Safe to repeat.
    ///
    /// - Parameter isDropping: the disk has been full for too long: what it refuses is counted as dropped.
    func end(_ exit: ExitReport, isDropping: Bool) throws(DomeError) -> Head {
        if writer.exit == nil {
            if isDropping { recorder.giveUp() }
            try recorder.finish()
            try writer.appendExit(exit)
        }
        head.lastSeq = writer.lastSeq
        writer.giveUp()
        return head
    }
}
