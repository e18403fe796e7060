import DomeModel
import DomePlatform
import Glibc

/// Finds and checks frames in an open journal, through a window of its bytes. Knows the difference between
/// "not there yet" and "damaged", which is what everybody else builds on.
struct FrameReader {
    let file: FileDescriptor
    let jobID: JobID
    let salt: UInt32
    private let scratch: JournalScratch
    private var windowOffset = 0
    private var windowCount = 0

    /// Reads the file's header; nil if it is not all there yet.
    init?(_ file: FileDescriptor, _ jobID: JobID, _ scratch: JournalScratch) throws(DomeError) {
        var bytes = [UInt8](repeating: 0, count: FileHeader.byteCount)
        let count = pread(file.number, &bytes, bytes.count, 0)
        guard count >= 0 else { throw .system("read the journal of \(jobID)", errno) }
        guard count == bytes.count else { return nil }
        let header = try bytes.withBytes { raw throws(DomeError) in try FileHeader(raw, jobID: jobID) }
        (self.file, self.jobID, self.scratch, salt) = (file, jobID, scratch, header.salt)
    }

    /// Forgets the window: the file may have grown, or the scratch memory served another cursor.
    mutating func refresh() { windowCount = 0 }

    /// The head at `offset`, whose first seq must be `seq`; nil if there is no whole head yet. Throws if what
    /// stands there is damaged: that is, if a sound frame follows it.
    ///
    /// - Parameter isSkipping: only heads are wanted, so a jump out of the window does not load a whole new one.
    mutating func header(
        at offset: Int, expecting seq: UInt64, isSkipping: Bool = false
    ) throws(DomeError) -> FrameHeader? {
        let raw = try window(at: offset, atLeast: FrameHeader.byteCount, atMost: isSkipping ? 4096 : .max)
        guard raw.count >= FrameHeader.byteCount else { return nil }
        guard let header = FrameHeader(raw, salt: salt) else {
            try assertTail(from: offset + 8, what: "no frame", at: offset)
            return nil
        }
        guard header.firstSeq == seq else {
            throw Journal.damage(jobID, at: offset, "event \(header.firstSeq) where \(seq) was due")
        }
        return header
    }

    /// The checked payload of the frame at `offset`, borrowed until the next call; nil if not all there yet.
    mutating func payload(of header: FrameHeader, at offset: Int) throws(DomeError) -> UnsafeRawBufferPointer? {
        let wanted = FrameHeader.byteCount + header.payloadCount
        let raw = try window(at: offset, atLeast: wanted)
        guard raw.count >= wanted else { return nil }
        let payload = UnsafeRawBufferPointer(rebasing: raw[FrameHeader.byteCount..<wanted])
        if CRC32C.of(payload) == header.payloadChecksum { return payload }
        try assertTail(from: offset + header.frameByteCount, what: "bad payload", at: offset)
        return nil
    }

    /// Whether the frame lies wholly within the file as it is now.
    func isComplete(_ header: FrameHeader, at offset: Int) throws(DomeError) -> Bool {
        let end = offset + FrameHeader.byteCount + header.payloadCount
        if end <= windowOffset + windowCount { return true }
        return try end <= fileByteCount()
    }

    func fileByteCount() throws(DomeError) -> Int {
        var status = stat()
        guard fstat(file.number, &status) == 0 else { throw .system("size the journal of \(jobID)", errno) }
        return Int(status.st_size)
    }

    /// Returns when no sound frame begins at or after `start`: what is at `offset` is then an append under way
    /// or torn. Frames begin at multiples of eight.
    private mutating func assertTail(from start: Int, what: String, at offset: Int) throws(DomeError) {
        var position = start
        while true {
            let raw = try window(at: position, atLeast: FrameHeader.byteCount)
            guard raw.count >= FrameHeader.byteCount else { break }
            var index = 0
            while index + FrameHeader.byteCount <= raw.count {
                let candidate = UnsafeRawBufferPointer(rebasing: raw[index..<(index + FrameHeader.byteCount)])
                if FrameHeader(candidate, salt: salt) != nil {
                    throw Journal.damage(jobID, at: offset, "\(what), but frames follow at byte \(position + index)")
                }
                index += 8
            }
            position += index
        }
        refresh()
    }

    /// The bytes from `offset` on, at least `count` of them unless the file ends before.
    private mutating func window(
        at offset: Int, atLeast count: Int, atMost limit: Int = .max
    ) throws(DomeError) -> UnsafeRawBufferPointer {
        if offset < windowOffset || offset + count > windowOffset + windowCount {
            scratch.grow(to: count)
            windowOffset = offset
            windowCount = 0
            while windowCount < count {
                let room = UnsafeMutableRawBufferPointer(rebasing: scratch.memory[windowCount...])
                let wanted = min(room.count, limit)
                let got = pread(file.number, room.baseAddress, wanted, off_t(offset + windowCount))
                if got < 0, errno == EINTR { continue }
                guard got >= 0 else { throw .system("read the journal of \(jobID)", errno) }
                if got == 0 { break }
                windowCount += got
            }
        }
        let start = offset - windowOffset
        return UnsafeRawBufferPointer(rebasing: scratch.memory[start..<max(start, windowCount)])
    }
}
