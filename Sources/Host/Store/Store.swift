// Room Store: what dome remembers, in one SQLite file: jobs, their requests, outcomes and artifacts, and the audit
// log. The only room that imports SQLite. `Store` is the door; behind it `GroupCommit` gathers writes into
// transactions, `Database` knows the statements, `Connection` and `Statement` speak to the library. Everything
// behind the door runs on one thread of the store's own. Output is not here but in the journals.

internal import DomeAsync
package import DomeModel
internal import DomePlatform

/// The database, as an actor on a thread of its own: no call blocks its caller's thread, and no other thread
/// touches the connection.
///
/// Reads are ordinary actor methods and see every write that was answered. The writes (`admit`, `finish`,
/// `appendAudit`, `deleteJobs`) gather into one transaction with those of other callers that wait at the same time,
/// and are answered when they are durable (synchronous=FULL). Each has two forms: async, and with a completion,
/// which is called on the store's thread: others wait meanwhile.
package actor Store {
    private nonisolated let executor: LoopExecutor
    nonisolated let writes: GroupCommit
    let database: Database

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// Opens or creates the database at `path` and starts the store's thread. Blocks: for a program's start.
    ///
    /// Refused, with nothing changed and a message that says what to do: a database of a newer dome
    /// (E_INTERNAL), another program's (E_INTERNAL), a damaged one (E_INTERNAL; it is never deleted), a file or
    /// disk that cannot be written (E_RESOURCE_EXHAUSTED).
    package init(path: String, options: StoreOptions = StoreOptions()) throws(DomeError) {
        let database = try Database(path: path, options: options)
        executor = try LoopExecutor.onNewThread(named: "dome-store")
        let checkpoints = CheckpointMaker(database, loop: executor.loop, options)
        writes = GroupCommit(loop: executor.loop, database: database, checkpoints: checkpoints)
        self.database = database
    }

    deinit { executor.loop.stop() }

    /// Commits what waits, copies the log into the database and closes it, also when it throws: what was answered
    /// is in the log then, and the next start finds it. Every later call fails with E_INTERNAL.
    package func close() throws(DomeError) {
        guard database.connection.isOpen else { return }
        defer { database.connection.close() }
        writes.flush()
        writes.checkpoints.settle()
        try writes.writeMarks()
        try database.connection.checkpoint()
    }

    /// What is wrong with the file, as SQLite's integrity check and foreign-key check say; empty if nothing.
    /// Reads the whole database; `examine` is the same for one that is not open.
    package func integrityReport() throws(DomeError) -> [String] {
        try database.check("PRAGMA integrity_check", what: "check the database")
            + database.check("PRAGMA foreign_key_check", what: "check references")
    }
}

// Writes, answered when durable.
extension Store {
    /// Admits a job, or finds the one that the same request made before. E_IDEMPOTENCY_KEY_REUSED if another
    /// request used the key. Job, request and audit intent are written together or not at all.
    package nonisolated func admit(
        _ job: NewJob, completion: @escaping @Sendable (Result<Admission, DomeError>) -> Void
    ) {
        writes.submit({ database throws(DomeError) in try database.admit(job) }, completion: completion)
    }

    package nonisolated(nonsending) func admit(_ job: NewJob) async throws(DomeError) -> Admission {
        try await answer { self.admit(job, completion: $0) }
    }

    /// Ends a job, once: E_NOT_FOUND for an unknown one, E_INVALID_TRANSITION if it has ended differently. The end
    /// and the audit outcome are written together or not at all.
    package nonisolated func finish(
        _ job: FinishedJob, completion: @escaping @Sendable (Result<FinishReceipt, DomeError>) -> Void
    ) {
        writes.submit({ database throws(DomeError) in try database.finish(job) }, completion: completion)
    }

    /// The same for a job whose record is made by `make` on the store's thread, right before it is written: for what
    /// has to be done in this order and without a detour. `make` may be called again when the transaction fails.
    package nonisolated(nonsending) func finish(
        _ make: @escaping @Sendable () throws(DomeError) -> FinishedJob
    ) async throws(DomeError) -> FinishReceipt {
        try await answer { completion in
            self.writes.submit(
                { database throws(DomeError) in try database.finish(try make()) }, completion: completion)
        }
    }

    package nonisolated(nonsending) func finish(_ job: FinishedJob) async throws(DomeError) -> FinishReceipt {
        try await answer { self.finish(job, completion: $0) }
    }

    /// Corrects the last seq of an ended job, whose journal `mend` has made whole on the store's thread, right before;
    /// answers it.
    package nonisolated(nonsending) func mend(
        _ id: JobID, _ actor: Caller,
        _ mend: @escaping @Sendable () throws(DomeError) -> (lastSeq: UInt64, bytes: UInt64)
    ) async throws(DomeError) -> UInt64 {
        try await answer { completion in
            self.writes.submit(
                { database throws(DomeError) in
                    let journal = try mend()
                    try database.mend(id, actor, lastSeq: journal.lastSeq, bytes: journal.bytes)
                    return journal.lastSeq
                }, completion: completion)
        }
    }

    /// Adds a row to the audit log; answers its seq.
    package nonisolated func appendAudit(
        _ entry: AuditEntry, completion: @escaping @Sendable (Result<Int64, DomeError>) -> Void
    ) {
        writes.submit({ database throws(DomeError) in try database.append(entry) }, completion: completion)
    }

    @discardableResult
    package nonisolated(nonsending) func appendAudit(_ entry: AuditEntry) async throws(DomeError) -> Int64 {
        try await answer { self.appendAudit(entry, completion: $0) }
    }

    /// Deletes those of `ids` that have ended, with request, outcome and artifacts, and adds `entry` to the audit
    /// log, whose rows all stay; answers how many there were. Give it a few hundred at a time: others wait.
    package nonisolated func deleteJobs(
        _ ids: [JobID], audit entry: AuditEntry, completion: @escaping @Sendable (Result<Int, DomeError>) -> Void
    ) {
        writes.submit(
            { database throws(DomeError) in
                let count = try database.deleteJobs(ids)
                _ = try database.append(entry)
                return count
            }, completion: completion)
    }

    package nonisolated(nonsending) func deleteJobs(
        _ ids: [JobID], audit entry: AuditEntry
    ) async throws(DomeError) -> Int {
        try await answer { self.deleteJobs(ids, audit: entry, completion: $0) }
    }

    /// Notes that a job runs. Returns at once and costs no sync: it is written with the next commit or read, and
    /// a crash may lose it.
    package nonisolated func markRunning(_ id: JobID, startedNanoseconds: Int64) {
        writes.mark(id, startedNanoseconds: startedNanoseconds)
    }

    private nonisolated(nonsending) func answer<Value: Sendable>(
        _ start: (@escaping @Sendable (Result<Value, DomeError>) -> Void) -> Void
    ) async throws(DomeError) -> Value {
        let result: Result<Value, DomeError> = await withUnsafeContinuation { continuation in
            start { continuation.resume(returning: $0) }
        }
        return try result.get()
    }
}
