package import DomeModel
internal import DomePlatform

/// What a job wrote to its standard output, put together again from its events.
package struct JournalOutput: Sendable, Equatable {
    /// Every line with its newline, those of progress left out; at most the limit.
    package var bytes: [UInt8] = []
    /// Whether nothing is missing: neither dropped when it was written, nor beyond the limit.
    package var isWhole = true

    /// Reads it from the journal at `path`, which no longer grows. Blocks.
    package static func read(path: String, _ jobID: JobID, limitBytes: Int) throws(DomeError) -> JournalOutput {
        let cursor = try JournalCursor(path: path, jobID)
        var output = JournalOutput()
        var step = JournalStep(lastSeq: 0, eventCount: 0, isAtEnd: false, reachedTerminal: false)
        while !step.isAtEnd, output.bytes.count <= limitBytes {
            step = try cursor.next(after: step.lastSeq, maxBytes: 1 << 20) { output.take($0) }
        }
        if output.bytes.count > limitBytes {
            output.bytes.removeSubrange(limitBytes...)
            output.isWhole = false
        }
        return output
    }

    private mutating func take(_ event: EventView) {
        switch event.kind {
        case .log where event.stream == .stdout:
            // Beside it stands an event of its own.
            guard event.lineID != 0 || ProgressLine.number(in: event.payload) == nil else { return }
            bytes.append(contentsOf: event.payload)
            if !event.isPartial { bytes.append(0x0a) }
        case .guard:
            let document = try? JSONParser.parse([UInt8](event.payload), what: "a guard event")
            if document?["truncated"]?.boolValue == true { isWhole = false }
        default: break
        }
    }
}
