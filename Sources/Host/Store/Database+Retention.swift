internal import DomeModel

/// Which ended jobs may go. A job goes when any one of the limits says so; unfinished jobs never do.
package struct RetentionPolicy: Sendable, Equatable {
    /// Nanoseconds since 1970: jobs that ended before.
    package var endedBeforeNanoseconds: Int64?
    /// The newest ended jobs whose output fits together stay.
    package var keepBytes: UInt64?
    /// That many of the newest ended jobs stay.
    package var keepJobs: Int?

    package init() {}
}

extension Database {
    private static let ended = Query(
        "SELECT job_id, ended_ns, output_bytes FROM jobs WHERE state > 2 ORDER BY id DESC")
    private static let delete = Query("DELETE FROM jobs WHERE job_id = ?1 AND state > 2")

    /// The jobs that `policy` lets go, newest first.
    func expiredJobs(_ policy: RetentionPolicy) throws(DomeError) -> [JobID] {
        var bytes: UInt64 = 0
        var count = 0
        let rows = try connection.all(
            Self.ended, what: "look for expired jobs"
        ) { row -> JobID? in
            count += 1
            bytes = bytes.addingReportingOverflow(UInt64(clamping: row.integer(2))).partialValue
            let isOld = policy.endedBeforeNanoseconds.map { row.integer(1) < $0 } ?? false
            let isTooMuch = policy.keepBytes.map { bytes > $0 } ?? false
            let isTooMany = policy.keepJobs.map { count > $0 } ?? false
            return isOld || isTooMuch || isTooMany ? JobID(row.text(0)) : nil
        }
        return rows.compactMap { $0 }
    }

    /// Deletes those of `ids` that have ended, with request, outcome and artifacts; returns how many. Their audit
    /// rows stay, and their idempotency keys are free again.
    func deleteJobs(_ ids: [JobID]) throws(DomeError) -> Int {
        var deleted = 0
        for id in ids {
            try connection.run(Self.delete, [.text(id.text)], what: "delete \(id)")
            deleted += connection.changedRows
        }
        return deleted
    }
}
