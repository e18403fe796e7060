// Room Journal: a job's events in one append-only file, which is the hinge of dome. Whoever runs the job (the
// keeper, or domed where no process of ours runs) is the file's one writer; any number of cursors read it at
// the same time, replaying and following alike. A line is an event, an event has a number, numbers have no
// gaps: what a frame holds is either read whole or not there yet. docs/JOURNAL.md describes the bytes.

package import DomeModel

/// Where journals lie.
package enum Journal {
    /// A journal's name in its job's folder.
    package static let fileName = "events.journal"

    /// The folder of a job: `<jobsPath>/<shard>/<job_id>`.
    package static func directory(jobsPath: String, _ jobID: JobID) -> String {
        "\(jobsPath)/\(jobID.shard)/\(jobID.text)"
    }

    /// The journal itself: `events.journal` in the job's folder.
    package static func path(jobsPath: String, _ jobID: JobID) -> String {
        directory(jobsPath: jobsPath, jobID) + "/\(fileName)"
    }

    /// The largest payload of one event, in bytes.
    package static let payloadLimitBytes = 1 << 20

    static func damage(_ jobID: JobID, at offset: Int, _ why: String) -> DomeError {
        DomeError(.internal, "journal of \(jobID) is damaged at byte \(offset): \(why)")
    }
}
