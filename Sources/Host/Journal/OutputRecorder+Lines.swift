import DomeModel
import DomePlatform

/// Splitting into lines and pieces.
extension OutputRecorder {
    /// A batch is closed at this size, so that no frame grows beyond what a reader wants to hold.
    private static let batchLimitBytes = 512 << 10

    /// Records whole lines and pieces of over-long ones from `bytes`. `consumed` says how far it came, also
    /// after an error; the rest is an unterminated line that is not too long yet.
    func record(
        _ bytes: UnsafeRawBufferPointer, _ consumed: inout Int, _ stream: OutputStream, _ state: inout StreamState
    ) throws(DomeError) {
        while consumed < bytes.count, truncation == nil {
            if state.lineID == nil {
                try recordBatch(bytes, &consumed, stream, state.wallNanoseconds)
                if truncation != nil { break }
            }
            guard try recordPiece(bytes, &consumed, stream, &state) else { break }
        }
        if truncation != nil {
            drop(UnsafeRawBufferPointer(rebasing: bytes[consumed...]), stream)
            consumed = bytes.count
        }
    }

    /// Records the whole lines at `consumed` that are not too long, as one frame.
    private func recordBatch(
        _ bytes: UnsafeRawBufferPointer, _ consumed: inout Int, _ stream: OutputStream, _ wallNanoseconds: Int64
    ) throws(DomeError) {
        var batch = LineBatch()
        var end = consumed
        var isOver = false
        while let newline = LineBatch.newline(in: bytes, from: end), newline - end <= lineLimitBytes {
            isOver = !mayAccept(newline + 1 - consumed)
            if isOver || (end > consumed && newline + 1 - consumed > Self.batchLimitBytes) { break }
            batch.add(bytes, end..<newline, stream)
            end = newline + 1
        }
        if end > consumed {
            let lines = UnsafeRawBufferPointer(rebasing: bytes[consumed..<end])
            try writer.append(batch, lines, stream: stream, wallNanoseconds: wallNanoseconds)
            acceptedBytes += UInt64(lines.count)
            consumed = end
        }
        if isOver { truncation = Truncation(afterSeq: writer.lastSeq) }
    }

    /// Records one piece of the line at `consumed`: the rest of one begun before, or the first part of one that
    /// is too long. False: there is nothing to record until more is read.
    private func recordPiece(
        _ bytes: UnsafeRawBufferPointer, _ consumed: inout Int, _ stream: OutputStream, _ state: inout StreamState
    ) throws(DomeError) -> Bool {
        let newline = LineBatch.newline(in: bytes, from: consumed)
        let rest = (newline ?? bytes.count) - consumed
        let isTooLong = rest > lineLimitBytes
        // A line that fits is the next batch's, unless it was begun in pieces.
        guard isTooLong || newline != nil else { return false }
        guard isTooLong || state.lineID != nil else { return true }
        let count = isTooLong ? lineLimitBytes : rest
        guard mayAccept(isTooLong ? count : count + 1) else {
            truncation = Truncation(afterSeq: writer.lastSeq)
            return false
        }
        let piece = UnsafeRawBufferPointer(rebasing: bytes[consumed..<(consumed + count)])
        let lineID = try writer.appendPiece(
            piece, stream: stream, lineID: state.lineID, isPartial: isTooLong, wallNanoseconds: state.wallNanoseconds)
        state.lineID = isTooLong ? lineID : nil
        consumed += isTooLong ? count : count + 1
        acceptedBytes += UInt64(isTooLong ? count : count + 1)
        return true
    }
}
