extension Migration {
    /// Version 1: jobs with their requests and outcomes, artifacts, and the audit log.
    ///
    /// What is queried lies in `jobs`, whose rows are small and rewritten when a job ends. The documents lie in
    /// `job_requests` (written at admission) and `job_outcomes` (at the end) and are never rewritten: a task of
    /// a megabyte passes through the write-ahead log once. `jobs.id` is the order of admission.
    ///
    /// `audit.seq` counts from 1 without gaps and rows are only ever added, so row `seq` can be leaf `seq - 1`
    /// of a Merkle tree; `leaf` holds the exact bytes to hash, the other columns repeat parts of it for queries.
    static let jobsAndAudit = Migration(
        version: 1,
        sql: """
            CREATE TABLE jobs(
                id INTEGER PRIMARY KEY,
                job_id TEXT NOT NULL UNIQUE,
                tool_id TEXT NOT NULL,
                profile TEXT NOT NULL,
                state INTEGER NOT NULL CHECK (state BETWEEN 1 AND 5),
                reason TEXT NOT NULL DEFAULT '',
                message TEXT NOT NULL DEFAULT '',
                created_ns INTEGER NOT NULL,
                started_ns INTEGER,
                ended_ns INTEGER,
                exit_code INTEGER,
                signal INTEGER,
                last_seq INTEGER NOT NULL DEFAULT 0,
                output_bytes INTEGER NOT NULL DEFAULT 0,
                idempotency_key TEXT NOT NULL UNIQUE,
                request_hash BLOB NOT NULL CHECK (length(request_hash) = 32),
                client_uid INTEGER NOT NULL,
                client_pid INTEGER NOT NULL
            ) STRICT;
            CREATE INDEX jobs_by_state ON jobs(state);
            CREATE INDEX jobs_by_tool ON jobs(tool_id);

            CREATE TABLE job_requests(
                job INTEGER PRIMARY KEY REFERENCES jobs(id) ON DELETE CASCADE,
                task_json TEXT NOT NULL,
                constraints_json TEXT NOT NULL,
                grants_json TEXT NOT NULL,
                provenance_json TEXT NOT NULL
            ) STRICT;

            CREATE TABLE job_outcomes(
                job INTEGER PRIMARY KEY REFERENCES jobs(id) ON DELETE CASCADE,
                provenance_json TEXT NOT NULL,
                plan_json TEXT NOT NULL,
                enforcement_json TEXT NOT NULL,
                resources_json TEXT NOT NULL
            ) STRICT;

            CREATE TABLE artifacts(
                job INTEGER NOT NULL REFERENCES jobs(id) ON DELETE CASCADE,
                position INTEGER NOT NULL,
                kind TEXT NOT NULL,
                path TEXT NOT NULL,
                sha256 BLOB CHECK (sha256 IS NULL OR length(sha256) = 32),
                bytes INTEGER NOT NULL,
                PRIMARY KEY (job, position)
            ) STRICT, WITHOUT ROWID;

            CREATE TABLE audit(
                seq INTEGER PRIMARY KEY,
                time_ns INTEGER NOT NULL,
                kind TEXT NOT NULL,
                actor_uid INTEGER NOT NULL,
                job_id TEXT,
                tool_id TEXT,
                outcome TEXT,
                leaf BLOB NOT NULL
            ) STRICT;
            CREATE INDEX audit_by_job ON audit(job_id) WHERE job_id IS NOT NULL;
            CREATE TRIGGER audit_rows_stay BEFORE DELETE ON audit
                BEGIN SELECT RAISE(ABORT, 'audit rows are never deleted'); END;
            CREATE TRIGGER audit_rows_stay_as_they_are BEFORE UPDATE ON audit
                BEGIN SELECT RAISE(ABORT, 'audit rows are never changed'); END;
            """)
}
