package import DomeModel

/// A recorder's unfinished business as bytes, so that another process can go on where this one ended.
extension OutputRecorder {
    /// Appends what is not in the journal: unterminated lines, what was dropped, what counts against the limit. Only for
    /// a recorder that the disk refuses nothing.
    package func write(to writer: inout ByteWriter) {
        for state in [standardOutput, standardError] {
            writer.write(state.pending)
            writer.write(state.lineID ?? 0)
            writer.write(state.wallNanoseconds)
        }
        writer.write(acceptedBytes)
        writer.write(startLength)
        writer.write(truncation != nil)
        guard let truncation else { return }
        writer.write(truncation.afterSeq)
        writer.write(truncation.droppedBytes)
        writer.write(truncation.droppedLines)
        writer.write(truncation.endsMidLine.standardOutput)
        writer.write(truncation.endsMidLine.standardError)
    }

    /// Takes up what `write` wrote.
    package convenience init(
        writer: JournalWriter, limits: Limits, from reader: inout ByteReader
    ) throws(DomeError) {
        var states: [StreamState] = []
        for _ in 0..<2 {
            var state = StreamState()
            state.pending = try reader.readBytes()
            let lineID = try reader.readUInt64()
            state.lineID = lineID == 0 ? nil : lineID
            state.wallNanoseconds = try reader.readInt64()
            states.append(state)
        }
        let accepted = try reader.readUInt64()
        self.init(writer: writer, limits: limits, startLength: min(try reader.readUInt64(), writer.byteLength))
        (standardOutput, standardError, acceptedBytes) = (states[0], states[1], accepted)
        guard try reader.readBool() else { return }
        var truncation = Truncation(afterSeq: try reader.readUInt64())
        truncation.droppedBytes = try reader.readUInt64()
        truncation.droppedLines = try reader.readUInt64()
        truncation.endsMidLine = (try reader.readBool(), try reader.readBool())
        self.truncation = truncation
    }
}
