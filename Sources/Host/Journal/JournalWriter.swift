package import DomeModel
import DomePlatform
import Glibc

/// The one writer of a job's journal. Holds the file's lock: a second writer is refused as long as it lives.
/// Every append is one write; what returned is in the file and has its number. Not thread-safe.
package final class JournalWriter {
    package let jobID: JobID
    /// The last event's seq; 0 before the first.
    package private(set) var lastSeq: UInt64 = 0
    /// Where the next frame goes: everything before it is readable.
    package private(set) var byteLength: UInt64 = 0
    /// The EXIT record, once there is one.
    package private(set) var exit: ExitReport?
    /// Whether the terminal event is there: nothing may follow it.
    package private(set) var hasTerminal = false

    /// Nil once closed.
    private(set) var file: FileDescriptor?
    private let salt: UInt32
    /// Blocks of the file up to here are ours, whatever the disk says; 0 without a reserve.
    var allocatedLength: UInt64 = 0
    /// Whether space is allocated ahead, so that the EXIT record always fits.
    var keepsReserve: Bool
    private let header: UnsafeMutableRawBufferPointer
    private let vectors: UnsafeMutableBufferPointer<iovec>

    /// Wraps an open, locked file whose state is known.
    init(_ file: FileDescriptor, _ jobID: JobID, salt: UInt32, state: JournalSummary, keepsReserve: Bool) {
        (self.file, self.jobID, self.salt, self.keepsReserve) = (file, jobID, salt, keepsReserve)
        lastSeq = state.lastSeq
        byteLength = UInt64(clamping: max(state.byteLength, FileHeader.byteCount))
        exit = state.exit
        hasTerminal = state.terminalSeq != nil
        header = .allocate(byteCount: FrameHeader.byteCount + 8, alignment: 8)
        header.initializeMemory(as: UInt8.self, repeating: 0)
        vectors = .allocate(capacity: 3)
        vectors.initialize(repeating: iovec(iov_base: nil, iov_len: 0))
    }

    deinit {
        giveUp()
        header.deallocate()
        vectors.deallocate()
    }

    /// Gives up the writer's role: from now on another process may open the journal, and appending here throws. Said
    /// to the kernel rather than left to the last reference's end, because a program that this process is just
    /// starting still has a duplicate of the descriptor.
    package func giveUp() {
        file?.unlock()
        file = nil
    }

    /// Appends one event and returns its seq.
    ///
    /// - Parameter isTerminal: marks the job's last event; nothing is appended after it.
    /// - Parameter mayUseReserve: for the few small events that an end needs even on a full disk.
    /// - Throws: E_RESOURCE_EXHAUSTED when the disk is full, with the journal as it was before;
    ///   E_INVALID_TRANSITION after the terminal event; E_INVALID_REQUEST for a payload beyond 1 MiB.
    @discardableResult
    package func appendEvent(
        _ kind: EventKind, _ payload: UnsafeRawBufferPointer, stream: OutputStream = .none, isTerminal: Bool = false,
        wallNanoseconds: Int64 = Clock.wallNanoseconds(), mayUseReserve: Bool = false
    ) throws(DomeError) -> UInt64 {
        guard payload.count <= Journal.payloadLimitBytes else {
            throw DomeError(.invalidRequest, "event of \(jobID) has \(payload.count) bytes, too many for a journal")
        }
        var frame = FrameHeader(kind: kind.rawValue)
        frame.stream = stream.rawValue
        frame.wallNanoseconds = wallNanoseconds
        if isTerminal { frame.flags.insert(.terminal) }
        try append(&frame, payload, mayUseReserve: mayUseReserve)
        hasTerminal = isTerminal
        return lastSeq
    }

    /// The same from an array.
    @discardableResult
    package func appendEvent(
        _ kind: EventKind, _ payload: [UInt8], stream: OutputStream = .none, isTerminal: Bool = false,
        wallNanoseconds: Int64 = Clock.wallNanoseconds(), mayUseReserve: Bool = false
    ) throws(DomeError) -> UInt64 {
        try payload.withBytes { raw throws(DomeError) in
            try appendEvent(
                kind, raw, stream: stream, isTerminal: isTerminal, wallNanoseconds: wallNanoseconds,
                mayUseReserve: mayUseReserve)
        }
    }

    /// Appends a piece of a line, without newline.
    ///
    /// - Parameter lineID: the seq of the line's first piece; nil if this is it.
    /// - Parameter isPartial: whether more of the line is to come (or may be).
    /// - Returns: the line's id for the next piece.
    @discardableResult
    package func appendPiece(
        _ piece: UnsafeRawBufferPointer, stream: OutputStream, lineID: UInt64?, isPartial: Bool, wallNanoseconds: Int64
    ) throws(DomeError) -> UInt64 {
        var frame = FrameHeader(kind: EventKind.log.rawValue)
        frame.stream = stream.rawValue
        frame.wallNanoseconds = wallNanoseconds
        frame.lineID = lineID ?? lastSeq + 1
        if isPartial { frame.flags.insert(.partial) }
        try append(&frame, piece)
        return frame.lineID
    }

    /// Appends the EXIT record, which is no event. Uses the reserve, and gives the rest of it back.
    package func appendExit(_ report: ExitReport) throws(DomeError) {
        guard exit == nil else {
            throw DomeError(.invalidTransition, "journal of \(jobID) has its EXIT record already")
        }
        var bytes = ByteWriter(capacity: 256)
        report.write(to: &bytes)
        var frame = FrameHeader(kind: FrameHeader.exitKind)
        frame.eventCount = 0
        frame.wallNanoseconds = report.endedNanoseconds
        try bytes.bytes.withBytes { raw throws(DomeError) in try append(&frame, raw, mayUseReserve: true) }
        exit = report
        releaseReserve()
    }

    /// Appends a STATE record, which is no event: what whoever writes this journal must know to go on after it, and
    /// that everything before it holds (see `openSettled`).
    package func appendState(_ payload: [UInt8]) throws(DomeError) {
        var frame = FrameHeader(kind: FrameHeader.stateKind)
        frame.eventCount = 0
        frame.wallNanoseconds = Clock.wallNanoseconds()
        try payload.withBytes { raw throws(DomeError) in try append(&frame, raw) }
    }

    /// Completes `frame` and writes it in one piece: after an error the file ends where it ended before.
    func append(
        _ frame: inout FrameHeader, _ payload: UnsafeRawBufferPointer, mayUseReserve: Bool = false
    ) throws(DomeError) {
        guard !hasTerminal else {
            throw DomeError(.invalidTransition, "journal of \(jobID) ends with its terminal event")
        }
        guard let file else { throw DomeError(.internal, "the writer of \(jobID)'s journal is closed") }
        frame.payloadCount = payload.count
        frame.payloadChecksum = CRC32C.of(payload)
        frame.firstSeq = lastSeq + 1
        let total = frame.frameByteCount
        try reserve(UInt64(total), mayUseReserve: mayUseReserve)
        frame.encode(to: header, salt: salt)
        vectors[0] = iovec(iov_base: header.baseAddress, iov_len: FrameHeader.byteCount)
        vectors[1] = iovec(iov_base: UnsafeMutableRawPointer(mutating: payload.baseAddress), iov_len: payload.count)
        // The eight bytes behind the encoded head stay zero: the padding.
        vectors[2] = iovec(
            iov_base: header.baseAddress.map { $0 + FrameHeader.byteCount },
            iov_len: total - FrameHeader.byteCount - payload.count)
        var written = -1
        repeat {
            written = pwritev(file.number, vectors.baseAddress, 3, off_t(byteLength))
        } while written < 0 && errno == EINTR
        guard written == total else {
            let reason = written < 0 ? errno : ENOSPC
            ftruncate(file.number, off_t(byteLength))
            throw .system("write the journal of \(jobID)", reason)
        }
        byteLength += UInt64(total)
        lastSeq = frame.nextSeq - 1
    }
}
