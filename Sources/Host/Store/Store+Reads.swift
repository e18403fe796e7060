package import DomeModel

extension Store {
    /// The database, with nothing left that a read would miss.
    private func current() throws(DomeError) -> Database {
        try writes.writeMarks()
        return database
    }

    /// The job, or nil.
    package func job(_ id: JobID) throws(DomeError) -> JobRecord? { try current().job(id) }

    /// The job that `key` named, or nil.
    package func job(forKey key: String) throws(DomeError) -> JobRecord? { try current().job(forKey: key) }

    /// The job with its documents and artifacts, or nil.
    package func detail(_ id: JobID) throws(DomeError) -> JobDetail? { try current().detail(id) }

    /// Some of what a job left; nil without such a job. `pageToken` is empty or a previous page's `nextToken`; `pageSize` 0
    /// means as many as a page holds.
    package func artifacts(
        of id: JobID, pageToken: String = "", pageSize: Int = 0
    ) throws(DomeError) -> ArtifactPage? {
        try current().artifacts(of: id, pageToken: pageToken, pageSize: pageSize)
    }

    /// What a job left under that name; nil without such a job or name.
    package func artifact(of id: JobID, named name: String) throws(DomeError) -> Artifact? {
        try current().artifact(of: id, named: name)
    }

    /// Jobs from the newest to the oldest. `pageToken` is empty or a previous page's `nextToken` (with the same
    /// filter); another is E_INVALID_REQUEST. `pageSize` 0 means `JobPage.defaultSize`.
    package func jobs(
        _ filter: JobFilter = JobFilter(), pageToken: String = "", pageSize: Int = 0
    ) throws(DomeError) -> JobPage {
        try current().jobs(filter, pageToken: pageToken, pageSize: pageSize)
    }

    /// All jobs that are queued or running, oldest first: what recovery begins with.
    package func unfinishedJobs() throws(DomeError) -> [JobRecord] { try current().unfinishedJobs() }

    /// States that no job is in are absent.
    package func countsByState() throws(DomeError) -> [JobState: Int] { try current().countsByState() }

    /// The ended jobs that `policy` lets go, newest first; deletes nothing. See `deleteJobs`.
    package func expiredJobs(_ policy: RetentionPolicy) throws(DomeError) -> [JobID] {
        try current().expiredJobs(policy)
    }
}
