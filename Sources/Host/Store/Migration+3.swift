extension Migration {
    /// Version 3: jobs that an executor drives elsewhere, with the handle by which it is found again. Written before the
    /// job is said to run; `limits_json` is what was decided about it then.
    static let drivenJobs = Migration(
        version: 3,
        sql: """
            CREATE TABLE driven_jobs(
                job INTEGER PRIMARY KEY REFERENCES jobs(id) ON DELETE CASCADE,
                executor TEXT NOT NULL,
                handle TEXT NOT NULL,
                limits_json TEXT NOT NULL,
                cancel_requested_ns INTEGER
            ) STRICT;
            """)
}
