internal import DomeJournal
package import DomeModel
internal import DomePlatform
internal import DomeStore

extension Engine {
    /// Makes the journal of an ended job whole again when it ends before the row says it does: the machine lost power
    /// (nobody syncs journals, only rows), or somebody cut the file. What is there stays, one event says what is not,
    /// and the terminal event follows. Safe to repeat.
    ///
    /// Throws E_INTERNAL naming job and byte for a journal that is damaged in its middle: that one is left alone.
    package func mendJournal(_ id: JobID) async throws(DomeError) -> EventHub.Head {
        guard let detail = try await store.detail(id), detail.record.state.isTerminal else {
            throw DomeError(.internal, "the journal of \(id) ends before its last event")
        }
        let record = detail.record
        let path = files.journalPath(id)
        let actor = Caller(userID: UInt32(Files.userID), processID: Files.processID)
        let lastSeq = try await store.mend(id, actor) { () throws(DomeError) in
            try JobFiles.mend(journal: path, record, artifacts: detail.artifacts.count)
        }
        Log.warning(
            "journal.mended",
            ["job": id.text, "last_seq": String(lastSeq), "was": String(record.lastSeq)])
        return EventHub.Head(lastSeq: lastSeq, isTerminal: true)
    }
}

extension JobFiles {
    /// Blocks, briefly: for the thread that corrects the row right after it. Returns the new last seq and the size.
    static func mend(
        journal path: String, _ record: JobRecord, artifacts: Int
    ) throws(DomeError) -> (lastSeq: UInt64, bytes: UInt64) {
        let writer = try JournalWriter.open(path: path, record.jobID)
        guard !writer.hasTerminal else { return (writer.lastSeq, writer.byteLength) }
        let kept = writer.lastSeq
        // The terminal event is written again; nothing else may be missing.
        if record.lastSeq > kept + 1 {
            let payload: JSONValue = [
                "truncated": true, "after_seq": .integer(Int64(clamping: kept)),
                "dropped_events": .integer(Int64(clamping: record.lastSeq - kept - 1)),
                "message": "the end of this journal is lost; did the machine lose power?",
            ]
            try writer.appendEvent(.guard, Array(payload.compact.utf8))
        }
        try writer.appendEvent(.stateChange, JobEnding(record).payload(artifacts: artifacts), isTerminal: true)
        return (writer.lastSeq, writer.byteLength)
    }
}

extension JobEnding {
    /// How a job ended, from its row.
    init(_ record: JobRecord) {
        self.init(
            from: record.startedNanoseconds == nil ? .queued : .running, state: record.state, reason: record.reason,
            message: record.message, exitCode: record.exitCode, signal: record.signal)
    }
}
