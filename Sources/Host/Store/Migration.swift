internal import DomeModel

/// One step of the schema: what takes a database from `version - 1` to `version`. A step that was released
/// is never edited; the next change is the next step.
struct Migration: Sendable {
    let version: Int64
    let sql: String

    /// All steps, in order.
    static let all: [Migration] = [.jobsAndAudit, .succeededJobsUnindexed, .drivenJobs, .merkleTree]

    /// `dome` in ASCII; `file(1)` and we know the database by it (PRAGMA application_id).
    static let applicationID: Int64 = 0x646f_6d65
}

extension Connection {
    /// The schema's version. Refuses, before anything is written, a database of a newer dome and one that is
    /// not dome's.
    func checkIdentity(newestKnown: Int64) throws(DomeError) -> Int64 {
        let what = "read the schema version"
        // All three of one moment: domed may be making the database while 'domed --check' looks.
        let (application, version, tables) = try reading(what) { () throws(DomeError) in
            (
                try number("PRAGMA application_id", what), try number("PRAGMA user_version", what),
                try number("SELECT count(*) FROM sqlite_schema", what)
            )
        }
        let isEmpty = application == 0 && version == 0 && tables == 0
        guard isEmpty || application == Migration.applicationID else {
            throw DomeError(
                .internal,
                "\(path) is a database, but not dome's; nothing was changed. Move it away, or point XDG_STATE_HOME to "
                    + "another folder", cause: "application_id \(application), user_version \(version)")
        }
        guard version <= newestKnown else {
            throw DomeError(
                .internal,
                "\(path) has schema version \(version), and this domed knows versions up to \(newestKnown); nothing "
                    + "was changed. Install the newer domed that wrote it, or point XDG_STATE_HOME to another folder")
        }
        return version
    }

    /// Takes every step above `version`, each in a transaction of its own: a crash leaves a whole version.
    func migrate(from version: Int64, steps: [Migration]) throws(DomeError) {
        for step in steps where step.version > version {
            let what = "migrate to schema version \(step.version)"
            try execute("BEGIN IMMEDIATE", what: what)
            do throws(DomeError) {
                try execute(step.sql, what: what)
                try execute(
                    "PRAGMA application_id = \(Migration.applicationID); PRAGMA user_version = \(step.version)",
                    what: what)
                try execute("COMMIT", what: what)
            } catch {
                if !isIdle { try execute("ROLLBACK", what: what) }
                throw error
            }
        }
    }

    func number(_ sql: String, _ what: String) throws(DomeError) -> Int64 {
        try all(composed: sql, [], what: what) { row in row.integer(0) }.first ?? 0
    }
}
