package import DomeModel
import DomePlatform
import Glibc

/// What one step of a cursor brought.
package struct JournalStep: Sendable, Equatable {
    /// The seq of the last event handed over, or what was asked `after` if there was none.
    package var lastSeq: UInt64
    /// How many events were handed over.
    package var eventCount: Int
    /// Whether everything that may be read now has been; false when `maxBytes` stopped the step.
    package var isAtEnd: Bool
    /// Whether the job's terminal event was handed over: there will be no more.
    package var reachedTerminal: Bool
}

/// A reader of one journal, at its own pace, while it is being written. Replay and follow are the same calls:
/// when a step is at the end, wait for a newer head and call again. At rest it holds one open file and its
/// place in it. Not thread-safe.
package final class JournalCursor {
    private let file: FileDescriptor
    private let jobID: JobID
    private let scratch: JournalScratch
    private var reader: FrameReader?
    /// The frame to read next, and the seq it must begin with.
    private var offset = FileHeader.byteCount
    private var firstSeq: UInt64 = 1

    /// Opens the journal at `path`. E_NOT_FOUND if there is none.
    ///
    /// - Parameter scratch: reading memory, to be shared by the cursors of one thread.
    package init(path: String, _ jobID: JobID, scratch: JournalScratch = JournalScratch()) throws(DomeError) {
        file = try Files.open(path, O_RDONLY)
        (self.jobID, self.scratch) = (jobID, scratch)
    }

    /// Hands the events with `after < seq <= through` to `visit`, in order, until about `maxBytes` of payload
    /// (and 64 bytes an event) have gone by or there are no more. An append under way is not there yet.
    ///
    /// Going on after the last seq handed over is cheapest; going forward skips from head to head; going back
    /// starts over.
    ///
    /// - Parameter through: a published head: that much must be there, and nothing beyond is shown.
    /// - Throws: E_INTERNAL naming job and byte where the file is damaged. Events before it were handed over.
    package func next(
        after: UInt64, through: UInt64 = .max, maxBytes: Int = 256 << 10, _ visit: (EventView) -> Void
    ) throws(DomeError) -> JournalStep {
        var step = JournalStep(lastSeq: after, eventCount: 0, isAtEnd: true, reachedTerminal: false)
        if reader == nil { reader = try FrameReader(file, jobID, scratch) }
        guard after < through else { return step }
        guard var frames = reader else {
            if through == .max { return step }
            throw Journal.damage(jobID, at: 0, "event \(through) was published, but there is no header")
        }
        frames.refresh()
        scratch.shrink()
        if after < firstSeq - 1 { (offset, firstSeq) = (FileHeader.byteCount, 1) }
        var budget = maxBytes
        var isSkipping = false
        while let header = try frames.header(at: offset, expecting: firstSeq, isSkipping: isSkipping) {
            if firstSeq > through { return step }
            if header.nextSeq - 1 <= max(after, step.lastSeq) {
                guard try frames.isComplete(header, at: offset) else { break }
                isSkipping = true
            } else {
                isSkipping = false
                guard budget > 0 else {
                    step.isAtEnd = false
                    return step
                }
                guard let payload = try frames.payload(of: header, at: offset) else { break }
                try visitFrame(header, payload, through, &budget, &step, visit)
                // Stopped within the frame, by `through` or `maxBytes`: it is read again next time.
                if step.lastSeq < header.nextSeq - 1 {
                    step.isAtEnd = step.lastSeq >= through
                    return step
                }
            }
            offset += header.frameByteCount
            firstSeq = header.nextSeq
        }
        if through != .max, step.lastSeq < through {
            throw Journal.damage(jobID, at: offset, "event \(through) was published, \(firstSeq) is not readable")
        }
        return step
    }

    private func visitFrame(
        _ header: FrameHeader, _ payload: UnsafeRawBufferPointer, _ through: UInt64, _ budget: inout Int,
        _ step: inout JournalStep, _ visit: (EventView) -> Void
    ) throws(DomeError) {
        guard let kind = EventKind(rawValue: header.kind) else {
            throw DomeError(.internal, "journal of \(jobID) has events of kind \(header.kind), unknown to this version")
        }
        let stream = OutputStream(rawValue: header.stream) ?? .none
        guard header.flags.contains(.lines) else {
            guard header.eventCount == 1 else { throw Journal.damage(jobID, at: offset, "event count") }
            visit(
                EventView(
                    seq: header.firstSeq, wallNanoseconds: header.wallNanoseconds, kind: kind, stream: stream,
                    isPartial: header.flags.contains(.partial), lineID: header.lineID, payload: payload))
            step.lastSeq = header.firstSeq
            step.eventCount += 1
            step.reachedTerminal = header.flags.contains(.terminal)
            budget -= payload.count + 64
            return
        }
        guard var batch = LineBatchReader(header, payload) else {
            throw Journal.damage(jobID, at: offset, "progress table")
        }
        while !batch.isAtEnd, budget > 0 {
            let seq = batch.seq
            if seq > through { return }
            guard let event = batch.next() else { throw Journal.damage(jobID, at: offset, "fewer lines than events") }
            if seq <= step.lastSeq { continue }
            visit(
                EventView(
                    seq: seq, wallNanoseconds: header.wallNanoseconds, kind: event.kind, stream: stream,
                    payload: event.payload))
            step.lastSeq = seq
            step.eventCount += 1
            budget -= event.payload.count + 64
        }
    }
}
