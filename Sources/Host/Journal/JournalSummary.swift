package import DomeModel
import DomePlatform
import Glibc

/// What a whole journal says about its job; how recovery learns where a job stands.
package struct JournalSummary: Sendable, Equatable {
    /// The last event's seq; 0 if there is none.
    package var lastSeq: UInt64 = 0
    /// Where the next frame goes; what lies behind is torn.
    package var byteLength = 0
    /// The size of the file. Larger than `byteLength` if the tail is torn.
    package var fileByteLength = 0
    /// The EXIT record, if the job has ended.
    package var exit: ExitReport?
    /// Whether the last event is an error: the first half of an end that dome itself brought about.
    package var endsWithError = false
    /// The newest GUARD event's payload; empty if there is none.
    package var lastGuardPayload: [UInt8] = []
    /// The newest STATE record's payload, if there is one.
    package var state: [UInt8]?
    /// Where the newest STATE record ends, or the first event if there is none.
    package var settledByteLength = 0
    /// The terminal event's seq and payload, if domed has written it.
    package var terminalSeq: UInt64?
    package var terminalPayload: [UInt8] = []

    package init() {}

    /// Reads and checks every frame of the journal at `path`. Never changes it, and may be used while it grows.
    ///
    /// Throws E_NOT_FOUND if there is no such file, E_INTERNAL naming job and byte if it is damaged before its
    /// tail.
    package static func scan(path: String, _ jobID: JobID) throws(DomeError) -> JournalSummary {
        try scan(Files.open(path, O_RDONLY), jobID)
    }

    static func scan(
        _ file: FileDescriptor, _ jobID: JobID, _ scratch: JournalScratch = JournalScratch()
    ) throws(DomeError) -> JournalSummary {
        var summary = JournalSummary()
        try summary.readAll(file, jobID, scratch)
        return summary
    }

    /// The state before the first thing that is damaged or torn.
    static func scanUntilDamage(_ file: FileDescriptor, _ jobID: JobID) -> JournalSummary {
        var summary = JournalSummary()
        // The error is the damage: what was counted before it stands.
        do throws(DomeError) { try summary.readAll(file, jobID, JournalScratch()) } catch {}
        return summary
    }

    private mutating func readAll(
        _ file: FileDescriptor, _ jobID: JobID, _ scratch: JournalScratch
    ) throws(DomeError) {
        fileByteLength = try Self.size(of: file, jobID)
        guard var reader = try FrameReader(file, jobID, scratch) else { return }
        byteLength = FileHeader.byteCount
        while let header = try reader.header(at: byteLength, expecting: lastSeq + 1) {
            guard let payload = try reader.payload(of: header, at: byteLength) else { break }
            try note(header, payload, jobID)
        }
        fileByteLength = try reader.fileByteCount()
    }

    private mutating func note(
        _ header: FrameHeader, _ payload: UnsafeRawBufferPointer, _ jobID: JobID
    ) throws(DomeError) {
        guard terminalSeq == nil else {
            throw Journal.damage(jobID, at: byteLength, "a frame after the terminal event")
        }
        if header.kind == FrameHeader.exitKind {
            var reader = ByteReader(payload)
            exit = try ExitReport(from: &reader)
        }
        if !header.isRecord { endsWithError = header.kind == EventKind.error.rawValue }
        if header.kind == EventKind.guard.rawValue { lastGuardPayload = [UInt8](payload) }
        lastSeq = header.nextSeq - 1
        if header.flags.contains(.terminal) {
            terminalSeq = lastSeq
            terminalPayload = [UInt8](payload)
        }
        byteLength += header.frameByteCount
        if header.kind == FrameHeader.stateKind { state = [UInt8](payload) }
        if header.kind == FrameHeader.stateKind || header.firstSeq == 1 { settledByteLength = byteLength }
    }

    static func size(of file: FileDescriptor, _ jobID: JobID) throws(DomeError) -> Int {
        var status = stat()
        guard fstat(file.number, &status) == 0 else { throw .system("size the journal of \(jobID)", errno) }
        return Int(status.st_size)
    }
}
