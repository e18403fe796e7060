internal import DomeModel

extension Database {
    private static let insertDriven = Query(
        """
        INSERT INTO driven_jobs SELECT id, ?2, ?3, ?4, ?5 FROM jobs WHERE job_id = ?1
        ON CONFLICT(job) DO UPDATE SET executor = excluded.executor, handle = excluded.handle,
            cancel_requested_ns = coalesce(cancel_requested_ns, excluded.cancel_requested_ns)
        """)
    private static let cancelDriven = Query(
        """
        UPDATE driven_jobs SET cancel_requested_ns = ?2
        WHERE job = (SELECT id FROM jobs WHERE job_id = ?1) AND cancel_requested_ns IS NULL
        """)
    private static let drivenByID = Query(
        """
        SELECT executor, handle, limits_json, cancel_requested_ns FROM driven_jobs
        WHERE job = (SELECT id FROM jobs WHERE job_id = ?1)
        """)

    /// Keeps a handle. E_NOT_FOUND without the job.
    func insert(_ driven: DrivenJob) throws(DomeError) {
        try connection.run(
            Self.insertDriven,
            [
                .text(driven.jobID.text), .text(driven.executor), .text(driven.handle), .text(driven.limitsJSON),
                SQLValue(driven.cancelRequestedNanoseconds),
            ], what: "keep the handle of \(driven.jobID)")
        guard connection.changedRows == 1 else { throw DomeError(.notFound, "job not found: \(driven.jobID)") }
    }

    /// Notes that somebody asked for its end; the first time counts. Does nothing for a job that is not driven (yet).
    func cancelDriven(_ id: JobID, atNanoseconds time: Int64) throws(DomeError) {
        try connection.run(
            Self.cancelDriven, [.text(id.text), .integer(time)], what: "note that \(id) is to be canceled")
    }

    func driven(_ id: JobID) throws(DomeError) -> DrivenJob? {
        try connection.first(Self.drivenByID, [.text(id.text)], what: "read how \(id) is driven") { row in
            DrivenJob(
                jobID: id, executor: row.text(0), handle: row.text(1), limitsJSON: row.text(2),
                cancelRequestedNanoseconds: row.optionalInteger(3))
        }
    }
}
