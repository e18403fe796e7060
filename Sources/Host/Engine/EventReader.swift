internal import DomeJournal
package import DomeModel

/// The memory that the readers of one thread read into, one after the other.
package final class EventReaderMemory {
    fileprivate let scratch = JournalScratch()

    package init() {}
}

/// One follower's place in one job's journal. Not thread-safe: it belongs to the thread that reads for followers.
package final class EventReader {
    private let cursor: JournalCursor

    /// Opens the journal at `path`. E_NOT_FOUND when there is none.
    package init(path: String, _ job: JobID, _ memory: EventReaderMemory) throws(DomeError) {
        cursor = try JournalCursor(path: path, job, scratch: memory.scratch)
    }

    /// Hands events with `after < seq <= through` to `visit`, in order, up to about `maxBytes` of them; returns the
    /// last seq handed over. `through` must have been published.
    package func read(
        after: UInt64, through: UInt64, maxBytes: Int, _ visit: (EventView) -> Void
    ) throws(DomeError) -> UInt64 {
        try cursor.next(after: after, through: through, maxBytes: maxBytes, visit).lastSeq
    }
}
