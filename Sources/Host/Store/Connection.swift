internal import CSQLite
internal import DomeModel

/// One SQLite connection with its prepared statements. Used by one thread at a time, and after `Store.open`
/// only by the store's own (so it is opened without SQLite's mutexes).
final class Connection {
    let path: String
    private var handle: OpaquePointer?
    private var statements: [ObjectIdentifier: Statement] = [:]
    /// Pages in the write-ahead log after the last commit, as SQLite reports them, and at the last checkpoint.
    private var logPages = 0
    private var checkpointedPages = 0

    /// Opens an existing file; creates none.
    init(path: String, busyTimeoutMilliseconds: Int32, isForReading: Bool = false) throws(DomeError) {
        self.path = path
        var handle: OpaquePointer?
        let access = isForReading ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE
        let flags = access | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let status = sqlite3_open_v2(path, &handle, flags, nil)
        self.handle = handle
        guard status == SQLITE_OK, handle != nil else { throw failure("open the database", status) }
        sqlite3_busy_timeout(handle, busyTimeoutMilliseconds)
        // Refuses SQL that could damage the file (writable_schema, shadow tables), even by mistake.
        _ = dome_sqlite3_set(handle, SQLITE_DBCONFIG_DEFENSIVE, 1)
        // Until the database is known to be good, closing it must not write what is in its log.
        setCheckpointsOnClose(false)
        // Takes the place of SQLite's own hook, which checkpoints every 1,000 pages in the midst of a commit;
        // when to do that is GroupCommit's to say. (PRAGMA wal_autocheckpoint would remove the hook again.)
        let context = Unmanaged.passUnretained(self).toOpaque()
        sqlite3_wal_hook(
            handle,
            { context, _, _, pages in
                guard let context else { return SQLITE_OK }
                Unmanaged<Connection>.fromOpaque(context).takeUnretainedValue().noteLog(pages: Int(pages))
                return SQLITE_OK
            }, context)
    }

    deinit { close() }

    /// Finalizes all statements and closes; SQLite checkpoints if this is the last connection. Harmless twice.
    func close() {
        for statement in statements.values { statement.finalize() }
        statements = [:]
        sqlite3_close_v2(handle)
        handle = nil
    }

    var isOpen: Bool { handle != nil }

    /// Whether the file could only be opened for reading.
    var isReadOnly: Bool { sqlite3_db_readonly(handle, "main") == 1 }

    /// Whether no transaction is open; SQLite ends one by itself after some errors.
    var isIdle: Bool { sqlite3_get_autocommit(handle) != 0 }

    var lastInsertedRow: Int64 { sqlite3_last_insert_rowid(handle) }
    var changedRows: Int { Int(sqlite3_changes(handle)) }

    func failure(_ what: String, _ status: Int32) -> DomeError {
        let detail = handle.flatMap { sqlite3_errmsg($0) }.map { String(cString: $0) } ?? ""
        return .sqlite(what, status, detail: detail, path: path)
    }

    /// Copies the write-ahead log into the database as far as readers allow, without waiting for anybody.
    func checkpoint() throws(DomeError) {
        let status = sqlite3_wal_checkpoint_v2(handle, "main", SQLITE_CHECKPOINT_PASSIVE, nil, nil)
        guard status == SQLITE_OK || status == SQLITE_BUSY else { throw failure("checkpoint", status) }
        checkpointedPages = logPages
    }

    /// Pages committed since the last checkpoint.
    var uncopiedPages: Int { logPages - checkpointedPages }

    private func noteLog(pages: Int) {
        // Fewer than before: everything had been copied and the log has begun anew.
        if pages < logPages { checkpointedPages = 0 }
        logPages = pages
    }

    /// Whether closing the last connection copies the log into the database and removes it.
    func setCheckpointsOnClose(_ enabled: Bool) {
        _ = dome_sqlite3_set(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, enabled ? 0 : 1)
    }
}

// Statements.
extension Connection {
    /// Runs SQL text of our own, several statements if need be, discarding rows.
    func execute(_ sql: String, what: String) throws(DomeError) {
        let status = sqlite3_exec(handle, sql, nil, nil, nil)
        guard status == SQLITE_OK else { throw failure(what, status) }
    }

    /// Runs `body`, whose statements only read: they all see the database as the first of them does.
    func reading<Value>(_ what: String, _ body: () throws(DomeError) -> Value) throws(DomeError) -> Value {
        try execute("BEGIN", what: what)
        do throws(DomeError) {
            let value = try body()
            try execute("COMMIT", what: what)
            return value
        } catch {
            if !isIdle { try execute("ROLLBACK", what: what) }
            throw error
        }
    }

    /// Runs a statement to its end; rows are discarded.
    func run(_ query: Query, _ values: [SQLValue] = [], what: String) throws(DomeError) {
        let statement = try prepared(query, what: what)
        defer { statement.reset() }
        try bind(statement, values, what)
        var status = statement.step()
        while status == SQLITE_ROW { status = statement.step() }
        guard status == SQLITE_DONE else { throw failure(what, status) }
    }

    /// The first row, read by `read`, or nil.
    func first<Value>(
        _ query: Query, _ values: [SQLValue] = [], what: String, _ read: (Row) throws(DomeError) -> Value
    ) throws(DomeError) -> Value? {
        let statement = try prepared(query, what: what)
        defer { statement.reset() }
        try bind(statement, values, what)
        switch statement.step() {
        case SQLITE_ROW: return try read(statement.row)
        case SQLITE_DONE: return nil
        case let status: throw failure(what, status)
        }
    }

    /// All rows, read by `read`.
    func all<Value>(
        _ query: Query, _ values: [SQLValue] = [], what: String, _ read: (Row) throws(DomeError) -> Value
    ) throws(DomeError) -> [Value] {
        let statement = try prepared(query, what: what)
        defer { statement.reset() }
        return try rows(of: statement, values, what, read)
    }

    /// All rows of a statement that is made up on the spot and prepared for this once. `sql` is never foreign.
    func all<Value>(
        composed sql: String, _ values: [SQLValue], what: String, _ read: (Row) throws(DomeError) -> Value
    ) throws(DomeError) -> [Value] {
        let statement = try prepare(sql, what: what, isKept: false)
        defer { statement.finalize() }
        return try rows(of: statement, values, what, read)
    }

    private func rows<Value>(
        of statement: Statement, _ values: [SQLValue], _ what: String, _ read: (Row) throws(DomeError) -> Value
    ) throws(DomeError) -> [Value] {
        try bind(statement, values, what)
        var found: [Value] = []
        while true {
            switch statement.step() {
            case SQLITE_ROW: found.append(try read(statement.row))
            case SQLITE_DONE: return found
            case let status: throw failure(what, status)
            }
        }
    }

    /// Every row, handed to `body` while the statement stands on it, until it says false.
    func each(
        _ query: Query, _ values: [SQLValue] = [], what: String, _ body: (Row) throws(DomeError) -> Bool
    ) throws(DomeError) {
        let statement = try prepared(query, what: what)
        defer { statement.reset() }
        try bind(statement, values, what)
        while true {
            switch statement.step() {
            case SQLITE_ROW: guard try body(statement.row) else { return }
            case SQLITE_DONE: return
            case let status: throw failure(what, status)
            }
        }
    }

    private func bind(_ statement: Statement, _ values: [SQLValue], _ what: String) throws(DomeError) {
        let status = statement.bind(values)
        guard status == SQLITE_OK else { throw failure(what, status) }
    }

    private func prepared(_ query: Query, what: String) throws(DomeError) -> Statement {
        if let statement = statements[ObjectIdentifier(query)] { return statement }
        let statement = try prepare(query.text, what: what, isKept: true)
        statements[ObjectIdentifier(query)] = statement
        return statement
    }

    private func prepare(_ sql: String, what: String, isKept: Bool) throws(DomeError) -> Statement {
        guard handle != nil else { throw DomeError(.internal, "cannot \(what): the store is closed") }
        var pointer: OpaquePointer?
        let flags = isKept ? UInt32(SQLITE_PREPARE_PERSISTENT) : 0
        let status = sqlite3_prepare_v3(handle, sql, -1, flags, &pointer, nil)
        guard status == SQLITE_OK, let pointer else { throw failure(what, status) }
        return Statement(owning: pointer)
    }
}
