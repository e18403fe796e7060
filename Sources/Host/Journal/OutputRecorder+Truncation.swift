import DomeModel
import DomePlatform

/// Dropping what is over the limit, and saying so once.
extension OutputRecorder {
    /// Counts `bytes` as dropped.
    func drop(_ bytes: UnsafeRawBufferPointer, _ stream: OutputStream) {
        guard !bytes.isEmpty else { return }
        var dropped = truncation ?? Truncation(afterSeq: writer.lastSeq)
        dropped.droppedBytes += UInt64(bytes.count)
        var offset = 0
        while let newline = LineBatch.newline(in: bytes, from: offset) {
            dropped.droppedLines += 1
            offset = newline + 1
        }
        if stream == .stderr {
            dropped.endsMidLine.standardError = offset < bytes.count
        } else {
            dropped.endsMidLine.standardOutput = offset < bytes.count
        }
        truncation = dropped
    }

    /// Counts an event as a dropped line.
    func drop(event payload: [UInt8]) {
        (payload + [0x0a]).withUnsafeBytes { drop($0, .stdout) }
    }

    /// Drops what waits in `state`.
    func dropPending(_ stream: OutputStream, _ state: inout StreamState) {
        var pending: [UInt8] = []
        swap(&pending, &state.pending)
        pending.withUnsafeBytes { drop($0, stream) }
    }

    /// Appends the truncation event, if one is due; it may use the reserve of a full disk.
    func appendTruncation() throws(DomeError) {
        guard var dropped = truncation else { return }
        if dropped.endsMidLine.standardOutput { dropped.droppedLines += 1 }
        if dropped.endsMidLine.standardError { dropped.droppedLines += 1 }
        let payload: JSONValue = [
            "truncated": true,
            "dropped_bytes": .integer(Int64(clamping: dropped.droppedBytes)),
            "dropped_lines": .integer(Int64(clamping: dropped.droppedLines)),
            "after_seq": .integer(Int64(clamping: dropped.afterSeq)),
            "limit_bytes": .integer(Int64(clamping: outputLimitBytes)),
        ]
        try writer.appendEvent(.guard, Array(payload.compact.utf8), mayUseReserve: true)
        truncation = nil
    }
}
