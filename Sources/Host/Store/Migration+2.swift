extension Migration {
    /// Version 2: `jobs_by_state` leaves out the jobs that succeeded. Those are nearly all, so they are found without it,
    /// and ending one is a page less to write.
    static let succeededJobsUnindexed = Migration(
        version: 2,
        sql: """
            DROP INDEX jobs_by_state;
            CREATE INDEX jobs_by_state ON jobs(state) WHERE state <> 3;
            """)
}
