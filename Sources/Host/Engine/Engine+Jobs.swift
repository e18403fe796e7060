internal import DomeAsync
internal import DomeCatalog
internal import DomeLink
package import DomeModel
internal import DomePlatform
internal import DomeStore

// What is asked about jobs that exist.
extension Engine {
    /// A job, alive or ended. E_NOT_FOUND "job not found: ID".
    package func job(_ id: JobID) async throws(DomeError) -> JobReport {
        await untilVisible(id)
        if let job = live[id], let head = hub.head(of: id) { return job.report(lastSeq: head.lastSeq) }
        guard let detail = try await store.detail(id), live[id] == nil || detail.record.state.isTerminal else {
            guard let job = live[id], hub.head(of: id) != nil else { throw Self.notFound(id) }
            return job.report(lastSeq: hub.head(of: id)?.lastSeq ?? 0)
        }
        var report = JobReport(detail.record, artifacts: reports(of: detail.artifacts, id))
        report.provenance = try JSONParser.parse(detail.provenanceJSON, what: "provenance of \(id)")
        report.provenanceText = detail.provenanceJSON
        report.enforcementJSON = detail.enforcementJSON
        report.resourcesJSON = detail.resourcesJSON
        report.resultJSON = await resultText(of: id, report.provenance)
        return report
    }

    /// How far a job's journal may be read.
    package func head(of id: JobID) async throws(DomeError) -> EventHub.Head {
        await untilVisible(id)
        if let head = hub.head(of: id) { return head }
        guard let record = try await store.job(id) else { throw Self.notFound(id) }
        if let head = hub.head(of: id) { return head }
        guard record.state.isTerminal else { throw Self.notFound(id) }
        return EventHub.Head(lastSeq: record.lastSeq, isTerminal: true)
    }

    /// A list of jobs may show one that is committed and whose first event is still on its way.
    private func untilVisible(_ id: JobID) async {
        if let job = live[id], hub.head(of: id) == nil { _ = await job.isVisible.wait() }
    }

    /// Where a job's journal lies.
    package func journalPath(_ id: JobID) -> String { files.journalPath(id) }

    static func notFound(_ id: JobID) -> DomeError { DomeError(.notFound, "job not found: \(id)") }

    /// A page of jobs, newest first.
    package func jobs(_ query: JobQuery) async throws(DomeError) -> JobPage {
        var filter = JobFilter()
        filter.states = Set(query.states)
        filter.toolID = query.toolID
        filter.createdSinceNanoseconds = query.sinceNanoseconds
        filter.createdBeforeNanoseconds = query.untilNanoseconds
        let page = try await store.jobs(filter, pageToken: query.pageToken ?? "", pageSize: query.pageSize)
        return JobPage(
            jobs: page.records.map { record in
                if let job = live[record.jobID], let head = hub.head(of: job.id) {
                    return job.report(lastSeq: head.lastSeq)
                }
                return JobReport(record, artifacts: [])
            }, nextPageToken: page.nextToken)
    }

    /// Asks for a job's end. Answers when the job has ended or the request is with its keeper and a moment has
    /// passed. E_INVALID_TRANSITION for a job that has ended otherwise; canceling twice is no error.
    package func cancel(_ id: JobID, caller: Caller) async throws(DomeError) -> JobReport {
        await untilVisible(id)
        guard let job = live[id], hub.head(of: id) != nil else {
            let report = try await self.job(id)
            guard report.state == .canceled else {
                throw DomeError(.invalidTransition, "job \(id) has already ended: \(report.state.name)")
            }
            return report
        }
        if !job.isCancelRequested {
            job.isCancelRequested = true
            // Not refused for want of room in the log: a job that fills the disk must be able to be ended.
            await pendingAudit.record(
                AuditEntry(
                    .canceled, timeNanoseconds: Clock.wallNanoseconds(), actor: caller, jobID: id,
                    toolID: job.toolID))
            if job.isElsewhere { try await store.cancelDriven(id, atNanoseconds: Clock.wallNanoseconds()) }
            requestCancel(job, by: caller)
        }
        if let report = await job.end.wait(milliseconds: configuration.executeWaitMilliseconds) { return report }
        return job.report(lastSeq: hub.head(of: id)?.lastSeq ?? 0)
    }

    func requestCancel(_ job: LiveJob, by caller: Caller) {
        if queue.remove(job.id) {
            Core.task { [self] in await finish(job, .canceledInQueue) }
            return
        }
        let payload: JSONValue = [
            "cancel_requested": true, "message": "cancel requested", "uid": .integer(Int64(caller.userID)),
        ]
        // Its own loop sees the flag.
        if let drive = job.drive { return drive.wake() }
        // Before its gate is open, `run` sees the flag itself.
        guard job.isOnItsWay else { return }
        job.keeper?.send(.cancel(job.id, event: .init(.guard, Array(payload.compact.utf8))))
    }
}
