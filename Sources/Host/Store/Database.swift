internal import DomeCrypto
internal import DomeModel
internal import DomePlatform
internal import Glibc

/// The store's work on one thread: every statement it knows, without any concurrency. The extensions in
/// `Database+….swift` are the operations; those that write expect to be within a transaction.
final class Database: @unchecked Sendable {
    // @unchecked: after `Store.open` only the store's own thread calls it.
    let connection: Connection
    private let fault: (@Sendable (CommitPoint) -> DomeError?)?
    let hasher: TreeHasher
    /// The last row that was appended to the audit log, perhaps by a transaction that failed; 0 since the start.
    var appended: Int64 = 0
    var path: String { connection.path }

    /// Opens or creates the database at `path` and brings its schema up to date.
    ///
    /// A database of a newer dome, of another program, damaged, or on a read-only medium is refused with an
    /// error that says what to do; nothing in it has been changed then.
    init(path: String, options: StoreOptions, migrations: [Migration] = Migration.all) throws(DomeError) {
        fault = options.fault
        hasher = try TreeHasher()
        try Self.createFile(path)
        connection = try Connection(path: path, busyTimeoutMilliseconds: options.busyTimeoutMilliseconds)
        guard !connection.isReadOnly else {
            throw DomeError(
                .resourceExhausted, "the database \(path) cannot be written; make its file system and folder writable")
        }
        let version = try connection.checkIdentity(newestKnown: migrations.last?.version ?? 0)
        if Self.size(of: path) <= options.checkedBytesAtOpen {
            let findings = try check("PRAGMA quick_check(5)", what: "check the database")
            guard findings.isEmpty else { throw .damagedDatabase(path, cause: findings.joined(separator: "; ")) }
        } else {
            Log.warning("store.check_skipped", ["path": path, "reason": "larger than checked at start"])
        }
        try setUp()
        if version > 0, version < migrations.last?.version ?? 0 { try backUp(version: version) }
        try connection.migrate(from: version, steps: migrations)
        try connection.execute("PRAGMA foreign_keys = ON", what: "turn foreign keys on")
        connection.setCheckpointsOnClose(true)
    }

    private func setUp() throws(DomeError) {
        let what = "set the database up"
        let mode = try connection.all(composed: "PRAGMA journal_mode = WAL", [], what: what) { row in row.text(0) }
        guard mode.first == "wal" else {
            throw DomeError(
                .internal,
                "cannot keep a write-ahead log for \(path): its file system lacks shared memory maps; set "
                    + "XDG_STATE_HOME to a local one", cause: "journal_mode \(mode.first ?? "none")")
        }
        // FULL: every commit is on disk when it returns. Temporary data in memory: savepoints write no files.
        try connection.execute(
            """
            PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA trusted_schema = OFF;
            PRAGMA cell_size_check = ON
            """, what: what)
    }

    /// SQLite would create it readable by all; its companions take their mode from it.
    private static func createFile(_ path: String) throws(DomeError) {
        if let slash = path.lastIndex(of: "/"), slash != path.startIndex {
            try Files.makeDirectories(String(path[..<slash]))
        }
        guard !Files.exists(path) else { return }
        _ = try Files.open(path, O_RDWR | O_CREAT, mode: 0o600)
    }

    private static func size(of path: String) -> UInt64 {
        var status = stat()
        return stat(path, &status) == 0 ? UInt64(max(0, status.st_size)) : 0
    }

    /// What a check pragma finds wrong; empty if nothing.
    func check(_ pragma: String, what: String) throws(DomeError) -> [String] {
        try connection.all(composed: pragma, [], what: what) { row in row.text(0) }.filter { $0 != "ok" }
    }

    /// A test's chance to fail or kill at `point`.
    func reach(_ point: CommitPoint) throws(DomeError) {
        if let fault, let error = fault(point) { throw error }
    }

    /// As `reach`, where it is too late to fail.
    func pass(_ point: CommitPoint) { _ = fault?(point) }
}
