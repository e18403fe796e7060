package import DomeModel
import DomePlatform

extension JournalWriter {
    /// Appends whole lines as one frame; each is an event, and a stdout line that is progress is two.
    /// `lines` ends with a newline, and is one read's worth: at most 1 MiB.
    package func appendLines(
        _ lines: UnsafeRawBufferPointer, stream: OutputStream, wallNanoseconds: Int64
    ) throws(DomeError) {
        guard !lines.isEmpty else { return }
        guard lines.last == 0x0a, lines.count <= Journal.payloadLimitBytes else {
            throw DomeError(.internal, "journal of \(jobID) takes whole lines of up to 1 MiB at a time")
        }
        var batch = LineBatch()
        var offset = 0
        while let newline = LineBatch.newline(in: lines, from: offset) {
            batch.add(lines, offset..<newline, stream)
            offset = newline + 1
        }
        try append(batch, lines, stream: stream, wallNanoseconds: wallNanoseconds)
    }

    /// Appends `lines`, which `batch` has counted.
    func append(
        _ batch: LineBatch, _ lines: UnsafeRawBufferPointer, stream: OutputStream, wallNanoseconds: Int64
    ) throws(DomeError) {
        var frame = FrameHeader(kind: EventKind.log.rawValue)
        frame.stream = stream.rawValue
        frame.flags = .lines
        frame.eventCount = batch.eventCount
        frame.wallNanoseconds = wallNanoseconds
        if batch.progress.isEmpty {
            try append(&frame, lines)
        } else {
            frame.flags.insert(.progress)
            try append(&frame, lines, after: batch.progress)
        }
    }

    /// Rare enough (a tool reports progress a few times a second) to copy the lines behind their table.
    private func append(
        _ frame: inout FrameHeader, _ lines: UnsafeRawBufferPointer, after progress: [LineBatch.Progress]
    ) throws(DomeError) {
        var payload = ByteWriter(capacity: 4 + progress.count * LineBatch.Progress.byteCount + lines.count)
        payload.write(UInt32(progress.count))
        for entry in progress {
            payload.write(entry.line)
            payload.write(entry.start)
            payload.write(entry.count)
        }
        payload.append(lines)
        var frameCopy = frame
        try payload.bytes.withBytes { raw throws(DomeError) in try append(&frameCopy, raw) }
        frame = frameCopy
    }
}
