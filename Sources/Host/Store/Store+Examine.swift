package import DomeModel

extension Store {
    /// What is wrong with the database at `path`, as SQLite's own checks say; empty if nothing. Changes nothing, and may
    /// run while a daemon has the database open. Throws for one that cannot be opened, is damaged beyond reading, is
    /// another program's, or a newer dome's. Reads the whole file.
    package static func examine(path: String) throws(DomeError) -> [String] {
        let connection = try Connection(path: path, busyTimeoutMilliseconds: 2_000)
        defer { connection.close() }
        _ = try connection.checkIdentity(newestKnown: Migration.all.last?.version ?? 0)
        var findings: [String] = []
        for pragma in ["PRAGMA integrity_check(5)", "PRAGMA foreign_key_check"] {
            findings += try connection.all(composed: pragma, [], what: "check the database") { row in row.text(0) }
        }
        return findings.filter { $0 != "ok" }
    }
}
