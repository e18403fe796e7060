internal import CSQLite
internal import DomeModel

/// SQLite's result codes as errors of ours, translated once, here.
extension DomeError {
    /// `what` is the operation; `code` the extended result code; `detail` SQLite's own words; `path` the database.
    ///
    /// A full or read-only disk, or memory that is short, is E_RESOURCE_EXHAUSTED: the store goes on by itself
    /// once there is room. A damaged file is E_INTERNAL and says how to set it aside.
    static func sqlite(_ what: String, _ code: Int32, detail: String, path: String) -> DomeError {
        let cause = "SQLite \(code): \(detail)"
        switch code & 0xff {
        case SQLITE_FULL:
            return DomeError(
                .resourceExhausted, "cannot \(what): the disk of \(path) is full; free some space", cause: cause)
        case SQLITE_READONLY, SQLITE_PERM:
            return DomeError(
                .resourceExhausted,
                "cannot \(what): \(path) cannot be written; make its file system and folder writable", cause: cause)
        case SQLITE_IOERR where isWrite(code):
            return DomeError(
                .resourceExhausted,
                "cannot \(what): writing \(path) failed; check the disk's space, quota and health", cause: cause)
        case SQLITE_NOMEM:
            return DomeError(.resourceExhausted, "cannot \(what): memory is short", cause: cause)
        case SQLITE_BUSY, SQLITE_LOCKED:
            return DomeError(
                .lockConflict, "cannot \(what): another process holds \(path) locked; end it or try again",
                cause: cause)
        case SQLITE_CORRUPT, SQLITE_NOTADB: return .damagedDatabase(path, cause: cause)
        default: return DomeError(.internal, "cannot \(what) in \(path)", cause: cause)
        }
    }

    /// SQLite reports ENOSPC as SQLITE_FULL, but quota (EDQUOT), the file size limit (EFBIG) and a medium that
    /// gives out as failed writes, truncations and syncs.
    private static func isWrite(_ code: Int32) -> Bool {
        let kinds: [Int32] = [3, 4, 5, 6, 19, 21]  // WRITE, FSYNC, DIR_FSYNC, TRUNCATE, SHMSIZE, SHMMAP
        return kinds.contains(code >> 8)
    }

    /// Never deleted, never repaired behind the operator's back: what can be saved is for them to decide.
    static func damagedDatabase(_ path: String, cause: String) -> DomeError {
        DomeError(
            .internal,
            "the database \(path) is damaged or not a database; nothing was changed. Set it aside with its companions "
                + "(mv \(path) \(path).damaged; likewise \(path)-wal and \(path)-shm) and start again: domed makes an "
                + "empty one. `sqlite3 \(path).damaged .recover` prints what can still be read",
            cause: cause)
    }
}
