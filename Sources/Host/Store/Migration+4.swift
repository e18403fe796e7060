extension Migration {
    /// Version 4: the audit log as a Merkle tree (docs/adr/0028-audit-log.md).
    ///
    /// A leaf's hash, and the salt of its payload, stand in its own row. Everything else about the tree is made later, for
    /// 256 leaves at once: the hashes of their subtrees (`audit_nodes`), and what finds them again (`audit_blocks` by
    /// time, `audit_terms` by tool, actor, kind and outcome, `audit_jobs` by job). All of that can be made again
    /// from the rows. `audit_by_job` was a page more to write for each job.
    static let merkleTree = Migration(
        version: 4,
        sql: """
            ALTER TABLE audit ADD COLUMN hash BLOB;
            ALTER TABLE audit ADD COLUMN salt BLOB;
            ALTER TABLE job_requests ADD COLUMN intent INTEGER;
            ALTER TABLE job_outcomes ADD COLUMN outcome INTEGER;
            DROP INDEX audit_by_job;
            DROP TRIGGER audit_rows_stay_as_they_are;
            CREATE TRIGGER audit_rows_stay_as_they_are
                BEFORE UPDATE OF seq, time_ns, kind, actor_uid, job_id, tool_id, outcome, leaf ON audit
                BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
            CREATE TRIGGER audit_hashes_stay BEFORE UPDATE OF hash ON audit WHEN old.hash IS NOT NULL
                BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
            CREATE TRIGGER audit_salts_may_go BEFORE UPDATE OF salt ON audit WHEN new.salt IS NOT NULL
                BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;

            CREATE TABLE audit_payloads(
                seq INTEGER PRIMARY KEY,
                payload BLOB NOT NULL
            ) STRICT;
            CREATE TABLE audit_nodes(
                level INTEGER NOT NULL,
                position INTEGER NOT NULL,
                hash BLOB NOT NULL CHECK (length(hash) = 32),
                PRIMARY KEY (level, position)
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE audit_blocks(
                block INTEGER PRIMARY KEY,
                min_ns INTEGER NOT NULL,
                max_ns INTEGER NOT NULL,
                latest_ns INTEGER NOT NULL
            ) STRICT;
            CREATE TABLE audit_terms(
                term TEXT NOT NULL,
                block INTEGER NOT NULL,
                leaves BLOB NOT NULL,
                PRIMARY KEY (term, block)
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE audit_jobs(
                job_id TEXT NOT NULL,
                block INTEGER NOT NULL,
                PRIMARY KEY (job_id, block)
            ) STRICT, WITHOUT ROWID;
            CREATE TABLE audit_checkpoints(
                size INTEGER PRIMARY KEY,
                note TEXT NOT NULL
            ) STRICT;
            """)
}
