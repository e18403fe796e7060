package import DomeModel
import DomePlatform

/// Turns what is read from a job's pipes into events: whole lines, pieces of long or unfinished lines, progress,
/// and one truncation event when the job wrote more than it may. Memory stays below a line's limit and one read
/// per stream. Not thread-safe.
package final class OutputRecorder {
    package let writer: JournalWriter
    /// A line's limit, in bytes; a longer one is split.
    let lineLimitBytes: Int
    let outputLimitBytes: UInt64
    var standardOutput = StreamState()
    var standardError = StreamState()
    /// Output written so far, newlines included.
    var acceptedBytes: UInt64 = 0
    var truncation: Truncation?
    /// Events that the disk refused, behind the lines that it refused.
    private var pendingEvents: [(kind: EventKind, payload: [UInt8], wallNanoseconds: Int64)] = []
    /// The journal's length before the first of it.
    let startLength: UInt64

    /// One stream's unfinished business.
    struct StreamState {
        /// Bytes read and not yet in the journal: the last, unterminated line (or more while the disk is full).
        var pending: [UInt8] = []
        /// The id of the line of which pieces are in the journal already.
        var lineID: UInt64?
        /// When the pending bytes were read.
        var wallNanoseconds: Int64 = 0
    }

    /// What had to be dropped.
    struct Truncation {
        /// The last event before the gap.
        var afterSeq: UInt64
        var droppedBytes: UInt64 = 0
        var droppedLines: UInt64 = 0
        /// Whether the last byte dropped of each stream was not a newline.
        var endsMidLine: (standardOutput: Bool, standardError: Bool) = (false, false)
    }

    /// Lines longer than this are split whatever the limits say.
    package static let largestLineLimitBytes = 512 << 10

    package convenience init(writer: JournalWriter, limits: Limits) {
        self.init(writer: writer, limits: limits, startLength: writer.byteLength)
    }

    init(writer: JournalWriter, limits: Limits, startLength: UInt64) {
        (self.writer, self.startLength) = (writer, startLength)
        lineLimitBytes = max(1, Int(clamping: min(limits.lineBytes, UInt64(Self.largestLineLimitBytes))))
        outputLimitBytes = limits.outputBytes
    }

    /// Whether the disk refused something: stop reading the job's pipes, call `retry` now and then.
    package private(set) var isBlocked = false

    /// Whether output is being dropped.
    package var isTruncating: Bool { truncation != nil }

    /// Whether the stream ends in the middle of a line that is not in the journal yet.
    package func hasUnterminatedLine(_ stream: OutputStream) -> Bool { !state(stream).pending.isEmpty }

    /// Takes one read's bytes (up to 64 KiB or so). Keeps what is no whole line for later.
    ///
    /// - Throws: E_RESOURCE_EXHAUSTED when the disk is full. Nothing is lost: the bytes wait for `retry`.
    package func take(
        _ bytes: UnsafeRawBufferPointer, from stream: OutputStream, wallNanoseconds: Int64
    ) throws(DomeError) {
        if truncation != nil { return drop(bytes, stream) }
        if stream == .stderr {
            try take(bytes, .stderr, &standardError, wallNanoseconds)
        } else {
            try take(bytes, .stdout, &standardOutput, wallNanoseconds)
        }
    }

    /// Takes one event that the job made, whole; it counts as output.
    ///
    /// - Throws: E_RESOURCE_EXHAUSTED when the disk is full. Nothing is lost: the event waits for `retry`.
    package func take(_ kind: EventKind, _ payload: [UInt8], wallNanoseconds: Int64) throws(DomeError) {
        guard !isBlocked else { return pendingEvents.append((kind, payload, wallNanoseconds)) }
        guard truncation == nil, mayAccept(payload.count) else {
            if truncation == nil { truncation = Truncation(afterSeq: writer.lastSeq) }
            return drop(event: payload)
        }
        do throws(DomeError) {
            try writer.appendEvent(kind, payload, wallNanoseconds: wallNanoseconds)
            acceptedBytes += UInt64(payload.count)
        } catch {
            guard error.code == .resourceExhausted else { throw error }
            isBlocked = true
            pendingEvents.append((kind, payload, wallNanoseconds))
            throw error
        }
    }

    private func take(
        _ bytes: UnsafeRawBufferPointer, _ stream: OutputStream, _ state: inout StreamState, _ wallNanoseconds: Int64
    ) throws(DomeError) {
        state.wallNanoseconds = wallNanoseconds
        guard state.pending.isEmpty, !isBlocked else {
            state.pending.append(contentsOf: bytes)
            if !isBlocked { try record(stream, &state) }
            return
        }
        var consumed = 0
        do throws(DomeError) {
            try record(bytes, &consumed, stream, &state)
        } catch {
            isBlocked = true
            state.pending.append(contentsOf: bytes[consumed...])
            throw error
        }
        state.pending.append(contentsOf: bytes[consumed...])
    }

    /// Records what is pending in `state`, as far as it goes.
    private func record(_ stream: OutputStream, _ state: inout StreamState) throws(DomeError) {
        // Taken out for the while, so that its memory is not copied when it shrinks.
        var pending: [UInt8] = []
        swap(&pending, &state.pending)
        var consumed = 0
        defer {
            pending.removeSubrange(..<consumed)
            swap(&pending, &state.pending)
        }
        do throws(DomeError) {
            try pending.withBytes { raw throws(DomeError) in try record(raw, &consumed, stream, &state) }
        } catch {
            isBlocked = true
            throw error
        }
    }

    /// Tries again what the disk refused.
    package func retry() throws(DomeError) {
        isBlocked = false
        try record(.stdout, &standardOutput)
        try record(.stderr, &standardError)
        var events: [(kind: EventKind, payload: [UInt8], wallNanoseconds: Int64)] = []
        swap(&events, &pendingEvents)
        var failure: DomeError?
        for event in events {
            // Once one is refused, the rest waits behind it.
            do throws(DomeError) { try take(event.kind, event.payload, wallNanoseconds: event.wallNanoseconds) } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
    }

    /// Writes an unterminated line as a piece, so that followers see a prompt or a progress bar.
    package func flushIdle(_ stream: OutputStream) throws(DomeError) {
        guard !isBlocked, truncation == nil else { return }
        if stream == .stderr {
            try flush(.stderr, &standardError)
        } else {
            try flush(.stdout, &standardOutput)
        }
    }

    private func flush(_ stream: OutputStream, _ state: inout StreamState) throws(DomeError) {
        guard !state.pending.isEmpty else { return }
        guard truncation == nil, mayAccept(state.pending.count) else { return dropPending(stream, &state) }
        let (lineID, wallNanoseconds) = (state.lineID, state.wallNanoseconds)
        do throws(DomeError) {
            state.lineID = try state.pending.withBytes { raw throws(DomeError) in
                try writer.appendPiece(
                    raw, stream: stream, lineID: lineID, isPartial: true, wallNanoseconds: wallNanoseconds)
            }
        } catch {
            isBlocked = true
            throw error
        }
        acceptedBytes += UInt64(state.pending.count)
        state.pending = []
    }

    /// Ends the output: writes the unterminated last lines and, if anything was dropped, the one truncation
    /// event. After an error call it again, or `giveUp` first.
    package func finish() throws(DomeError) {
        try retry()
        try flush(.stdout, &standardOutput)
        try flush(.stderr, &standardError)
        try appendTruncation()
    }

    /// Counts what the disk refused as dropped: the job ends because of it.
    package func giveUp() {
        guard isBlocked else { return }
        dropPending(.stdout, &standardOutput)
        dropPending(.stderr, &standardError)
        for event in pendingEvents {
            if truncation == nil { truncation = Truncation(afterSeq: writer.lastSeq) }
            drop(event: event.payload)
        }
        pendingEvents = []
        isBlocked = false
    }

    /// Whether `count` more bytes stay within the limit. The journal itself may grow to twice the limit: a tool
    /// that writes single bytes must not fill the disk with frame heads.
    func mayAccept(_ count: Int) -> Bool {
        acceptedBytes + UInt64(count) <= outputLimitBytes
            && writer.byteLength - startLength <= 2 * outputLimitBytes.clampedToHalf + (64 << 10)
    }

    private func state(_ stream: OutputStream) -> StreamState { stream == .stderr ? standardError : standardOutput }
}

extension UInt64 {
    /// Small enough to be doubled and added to.
    fileprivate var clampedToHalf: UInt64 { Swift.min(self, .max / 4) }
}
