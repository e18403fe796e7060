internal import DomeModel
internal import DomePlatform
internal import Synchronization

/// Writes that wait together become one transaction, so that one sync serves them all: while one group is being
/// committed, the next one gathers. A lone write waits for nobody. Each write has its own savepoint, so one that
/// is refused takes nothing with it; and when the transaction as a whole fails, every write is tried once alone.
final class GroupCommit: Sendable {
    /// A write that waits.
    struct Operation: Sendable {
        /// Makes it within the open transaction.
        let attempt: @Sendable (Database) -> Attempt
        /// Tells its caller that it did not happen. Either this or the attempt's `deliver` is called, once.
        let fail: @Sendable (DomeError) -> Void
    }

    /// A write that was made, in a transaction whose fate is open.
    struct Attempt {
        /// Why it was refused, if it was.
        var error: DomeError?
        /// Tells its caller the result; after the commit.
        var deliver: () -> Void
    }

    private struct Mark: Sendable {
        let id: JobID
        let startedNanoseconds: Int64
    }

    private struct Inbox {
        var operations: [Operation] = []
        var marks: [Mark] = []
        var isFlushScheduled = false
    }

    private let loop: EventLoop
    private let database: Database
    let checkpoints: CheckpointMaker
    /// Why nothing can be written; nil while all is well.
    private let trouble = Mutex<String?>(nil)
    private let inbox = Mutex(Inbox())
    /// Pages in the log at which it is copied into the database when nobody waits, and when somebody does.
    private let idleCheckpointPages = 1_000
    private let busyCheckpointPages = 4_000

    init(loop: EventLoop, database: Database, checkpoints: CheckpointMaker) {
        self.loop = loop
        self.database = database
        self.checkpoints = checkpoints
    }

    /// Why the last transaction could not be written, from any thread; nil if it could.
    var writeTrouble: String? { trouble.withLock { $0 } }

    /// Queues a write, from any thread. `completion` is called on the store's thread after the commit.
    func submit<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws(DomeError) -> Value,
        completion: @escaping @Sendable (Result<Value, DomeError>) -> Void
    ) {
        let operation = Operation(
            attempt: { database in
                let result = Self.result(of: body, database)
                return Attempt(error: result.failure) { completion(result) }
            }, fail: { completion(.failure($0)) })
        let mustSchedule = inbox.withLock { inbox in
            inbox.operations.append(operation)
            defer { inbox.isFlushScheduled = true }
            return !inbox.isFlushScheduled
        }
        if mustSchedule { loop.execute { self.flush() } }
    }

    private static func result<Value>(
        of body: (Database) throws(DomeError) -> Value, _ database: Database
    ) -> Result<Value, DomeError> {
        do throws(DomeError) { return .success(try body(database)) } catch { return .failure(error) }
    }

    /// Notes that a job runs, from any thread. It is written with the next commit, whosever that is, or before the
    /// next read; a crash may lose it, and recovery learns better from the keepers.
    func mark(_ id: JobID, startedNanoseconds: Int64) {
        inbox.withLock { $0.marks.append(Mark(id: id, startedNanoseconds: startedNanoseconds)) }
    }

    /// Writes pending marks so that a read sees them; on the store's thread.
    func writeMarks() throws(DomeError) {
        let marks = inbox.withLock { inbox in
            defer { inbox.marks = [] }
            return inbox.marks
        }
        guard !marks.isEmpty else { return }
        do throws(DomeError) { _ = try transaction([], marks) } catch {
            restore(marks)
            throw error
        }
    }

    private func restore(_ marks: [Mark]) {
        inbox.withLock { $0.marks.insert(contentsOf: marks, at: 0) }
    }

    /// Commits what has gathered; on the store's thread.
    func flush() {
        let (operations, marks) = inbox.withLock { inbox in
            defer { inbox = Inbox() }
            return (inbox.operations, inbox.marks)
        }
        if !operations.isEmpty {
            commit(operations, marks)
            checkpoints.noteCommit()
        }
        if database.connection.uncopiedPages >= idleCheckpointPages { loop.execute { self.checkpointIfDue() } }
    }

    /// After the callers have been answered, and if possible while nobody waits: copying pages into the database
    /// takes milliseconds.
    private func checkpointIfDue() {
        let isBusy = inbox.withLock { $0.isFlushScheduled }
        let duePages = isBusy ? busyCheckpointPages : idleCheckpointPages
        guard database.connection.isOpen, database.connection.uncopiedPages >= duePages else { return }
        database.pass(.checkpointing)
        do throws(DomeError) { try database.connection.checkpoint() } catch {
            // The log goes on growing and is copied later; nothing is lost.
            Log.warning("store.checkpoint_failed", ["path": database.path, "error": error.description])
        }
        database.pass(.checkpointed)
    }
}

// The transaction.
extension GroupCommit {
    private static let begin = Query("BEGIN IMMEDIATE")
    private static let commit = Query("COMMIT")
    private static let rollback = Query("ROLLBACK")
    private static let savepoint = Query("SAVEPOINT operation")
    private static let release = Query("RELEASE operation")
    private static let undo = Query("ROLLBACK TO operation")

    private func commit(_ operations: [Operation], _ marks: [Mark]) {
        do throws(DomeError) {
            let attempts = try transaction(operations, marks)
            trouble.withLock { $0 = nil }
            for attempt in attempts { attempt.deliver() }
        } catch {
            restore(marks)
            if [.resourceExhausted, .internal, .lockConflict].contains(error.code) {
                trouble.withLock { $0 = error.message }
            }
            guard operations.count > 1 else {
                for operation in operations { operation.fail(error) }
                return
            }
            for operation in operations { commit([operation], []) }
        }
    }

    /// All of it on disk, or an error and nothing of it.
    private func transaction(_ operations: [Operation], _ marks: [Mark]) throws(DomeError) -> [Attempt] {
        let connection = database.connection
        try connection.run(Self.begin, what: "begin a transaction")
        do throws(DomeError) {
            try database.reach(.begun)
            for mark in marks { try database.markRunning(mark.id, startedNanoseconds: mark.startedNanoseconds) }
            try database.reach(.marksWritten)
            var attempts: [Attempt] = []
            attempts.reserveCapacity(operations.count)
            for operation in operations { attempts.append(try make(operation, isAlone: operations.count == 1)) }
            try database.reach(.committing)
            try connection.run(Self.commit, what: "commit")
            database.pass(.committed)
            return attempts
        } catch {
            // After some errors (a full disk) SQLite has ended the transaction itself.
            if !connection.isIdle { try connection.run(Self.rollback, what: "roll back") }
            throw error
        }
    }

    /// Makes one write; if it is refused, what it had written is undone and the rest stands. One that is alone needs
    /// no savepoint: refused, it takes the transaction with it.
    private func make(_ operation: Operation, isAlone: Bool) throws(DomeError) -> Attempt {
        let connection = database.connection
        if isAlone {
            let attempt = operation.attempt(database)
            if let error = attempt.error { throw error }
            return attempt
        }
        try connection.run(Self.savepoint, what: "begin a write")
        let attempt = operation.attempt(database)
        if let error = attempt.error {
            if connection.isIdle { throw error }
            try connection.run(Self.undo, what: "undo a write")
        }
        try connection.run(Self.release, what: "end a write")
        return attempt
    }
}

extension Result {
    fileprivate var failure: Failure? { if case .failure(let error) = self { error } else { nil } }
}
