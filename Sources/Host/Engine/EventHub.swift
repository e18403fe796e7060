package import DomeAsync
package import DomeModel

/// How far each live job's journal is published, and who wants to know. Sequence numbers and callbacks, but for changes
/// of state no events: a follower reads those from the journal itself.
@Core
package final class EventHub {
    /// What may be read of a job's journal.
    package struct Head: Sendable, Equatable {
        package var lastSeq: UInt64
        /// The event `lastSeq` is the terminal one, and the job's row says the same.
        package var isTerminal: Bool
        /// The changes of state that this daemon knows of, as the journal has them: whose turn it is to get one need not
        /// read it. Some may lie beyond `lastSeq`, and are not published yet.
        package var changes: [StateChange]

        package init(lastSeq: UInt64, isTerminal: Bool, changes: [StateChange] = []) {
            self.lastSeq = lastSeq
            self.isTerminal = isTerminal
            self.changes = changes
        }
    }

    /// An event of kind `stateChange`, byte for byte.
    package struct StateChange: Sendable, Equatable {
        package var seq: UInt64
        package var wallNanoseconds: Int64
        package var payload: [UInt8]
    }

    /// A wish to be called; cancel it when the wish is gone.
    @Core
    package final class Observation {
        fileprivate var body: (@Core (Head) -> Void)?
        fileprivate init(_ body: @escaping @Core (Head) -> Void) { self.body = body }
        package func cancel() { body = nil }
        fileprivate func call(_ head: Head) { body?(head) }
    }

    private struct Entry {
        var head: Head
        var observations: [Observation] = []
    }

    private var entries: [JobID: Entry] = [:]

    package init() {}

    /// The published head of a live job; nil for one that is not (any more): the store knows those.
    package func head(of job: JobID) -> Head? { entries[job]?.head }

    /// Raises a job's head (it never falls) and calls the observers. A terminal head is the last call: the
    /// entry goes with it.
    package func publish(_ job: JobID, _ head: Head) {
        guard var entry = entries[job] else {
            if !head.isTerminal { entries[job] = Entry(head: head) }
            return
        }
        guard head.lastSeq > entry.head.lastSeq || head.isTerminal else { return }
        let known = entry.head.changes
        entry.head = head
        entry.head.changes = head.changes.isEmpty ? known : known + head.changes
        entry.observations.removeAll { $0.body == nil }
        entries[job] = head.isTerminal ? nil : entry
        for observation in entry.observations { observation.call(entry.head) }
    }

    /// Notes a change of state that is in the job's journal; its `publish` follows.
    package func note(_ job: JobID, _ change: StateChange) { entries[job]?.head.changes.append(change) }

    /// Calls `body` at each rise of the job's head from now on; nil when the job is not live.
    package func observe(_ job: JobID, _ body: @escaping @Core (Head) -> Void) -> Observation? {
        guard entries[job] != nil else { return nil }
        let observation = Observation(body)
        entries[job]?.observations.append(observation)
        return observation
    }

    /// Forgets a job that never came to be.
    package func drop(_ job: JobID) { entries[job] = nil }
}
