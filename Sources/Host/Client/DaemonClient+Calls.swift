internal import DomeAsync
package import DomeModel
internal import DomeProto
internal import DomeWire

// One method a call of the contract. A domain error of the daemon is thrown as `.refused`.
extension DaemonClient {
    /// The daemon's version: the cheapest sign of life.
    package func health() async throws(ClientError) -> String {
        let reply = try await call(Domed_V1_DomedService.health, Domed_V1_HealthRequest())
        try Self.check(reply.status)
        return reply.daemonVersion
    }

    /// All tools, by id; asked for in pages, so that there may be any number of them.
    package func tools() async throws(ClientError) -> [ToolSummary] {
        var tools: [ToolSummary] = []
        var token = ""
        repeat {
            let reply = try await call(
                Domed_V1_DomedService.listTools,
                .with {
                    $0.pageSize = 2_000
                    $0.pageToken = token
                })
            try Self.check(reply.status)
            tools += reply.tools.map(ToolSummary.init)
            token = reply.nextPageToken
        } while !token.isEmpty
        return tools
    }

    /// The tools that fit the words, the best first, at most `limit`; with how many there are.
    package func searchTools(
        _ words: String, limit: UInt32
    ) async throws(ClientError) -> (tools: [ToolSummary], total: Int) {
        let reply = try await call(
            Domed_V1_DomedService.listTools,
            .with {
                $0.query = words
                $0.pageSize = limit
            })
        try Self.check(reply.status)
        return (reply.tools.map(ToolSummary.init), Int(reply.total))
    }

    /// Lets a tool out of quarantine; `material` is what was looked at.
    package func acceptTool(_ id: String, material: String) async throws(ClientError) {
        let reply = try await call(
            Domed_V1_DomedService.acceptTool,
            .with {
                $0.toolId = id
                $0.materialSha256 = material
            })
        try Self.check(reply.status)
    }

    package func tool(_ id: String) async throws(ClientError) -> ToolDetail {
        let reply = try await call(Domed_V1_DomedService.getTool, .with { $0.toolId = id })
        try Self.check(reply.status)
        guard let tool = reply.tool else { throw .protocolBroken("the reply to GetTool has no tool") }
        let documents = try await call(Domed_V1_DomedService.getToolSchema, .with { $0.toolId = id })
        try Self.check(documents.status)
        return ToolDetail(tool, documents)
    }

    /// A tool as its own documents describe it: the same in one call, without what the daemon adds.
    package func toolDocuments(_ id: String) async throws(ClientError) -> ToolDetail {
        let documents = try await call(Domed_V1_DomedService.getToolSchema, .with { $0.toolId = id })
        try Self.check(documents.status)
        guard let tool = ToolDetail(documents) else { return try await tool(id) }
        return tool
    }

    /// What a job of the tool would get, and whether it would be let run. `constraintsJSON` holds its grants.
    package func explainSandbox(
        _ toolID: String, constraintsJSON: String
    ) async throws(ClientError) -> (isAdmissible: Bool, explanationJSON: String) {
        let reply = try await call(
            Domed_V1_DomedService.explainSandbox,
            .with { request in
                request.toolId = toolID
                request.constraintsJson = constraintsJSON
            })
        try Self.check(reply.status)
        return (reply.admissible, reply.explanationJson)
    }

    /// Admits a job; returns after the admission is durable.
    package func submit(_ submission: Submission) async throws(ClientError) -> Admission {
        let reply = try await call(
            Domed_V1_DomedService.skillExecute,
            .with { request in
                request.skillId = submission.toolID
                request.profile = submission.profile
                request.idempotencyKey = submission.idempotencyKey
                request.taskJson = submission.taskJSON
                request.constraintsJson = submission.constraintsJSON
                request.callerJson = submission.callerJSON
            })
        try Self.check(reply.status)
        var admission = Admission()
        admission.jobID = reply.jobId
        admission.runID = reply.runId
        admission.state = JobState(reply.state)
        admission.wasReplayed = reply.replayed
        admission.message = reply.status?.message ?? ""
        return admission
    }

    package func job(_ id: String) async throws(ClientError) -> JobDetail {
        let reply = try await call(Domed_V1_DomedService.getJobStatus, .with { $0.jobId = id })
        try Self.check(reply.status)
        var job = JobDetail(reply)
        if reply.artifactCount > UInt64(job.artifacts.count) { job.artifacts = try await artifacts(of: id) }
        return job
    }

    /// Asks for a job's end; the state is the one at the time of the answer.
    package func cancel(_ id: String, idempotencyKey: String) async throws(ClientError) -> JobState? {
        let reply = try await call(
            Domed_V1_DomedService.cancelJob,
            .with { request in
                request.jobId = id
                request.idempotencyKey = idempotencyKey
            })
        try Self.check(reply.status)
        return JobState(reply.state)
    }

    /// One page, newest first. `pageSize` 0 lets the daemon choose.
    package func jobs(
        _ filter: JobFilter, pageSize: UInt32, pageToken: String
    ) async throws(ClientError) -> JobPage {
        let reply = try await call(
            Domed_V1_DomedService.listJobs,
            .with { request in
                request.states = filter.states.map(Domed_V1_JobState.init)
                request.toolId = filter.toolID
                request.since = filter.since
                request.until = filter.until
                request.pageSize = pageSize
                request.pageToken = pageToken
            })
        try Self.check(reply.status)
        var page = JobPage()
        page.jobs = reply.jobs.map(JobSummary.init)
        page.nextPageToken = reply.nextPageToken
        return page
    }

    package func status() async throws(ClientError) -> DaemonStatus {
        let reply = try await call(Domed_V1_DomedService.getStatus, Domed_V1_GetStatusRequest())
        try Self.check(reply.status)
        return DaemonStatus(reply)
    }

    /// Every plugin that the daemon has found, in the order of its search path; or only the one with `id`. Each is asked
    /// how it is if `withHealth` says so.
    package func plugins(
        id: String = "", withHealth: Bool = false
    ) async throws(ClientError) -> [PluginSummary] {
        let reply = try await call(
            Domed_V1_DomedService.listPlugins,
            .with { request in
                request.pluginId = id
                request.withHealth = withHealth
            })
        try Self.check(reply.status)
        return reply.plugins.map(PluginSummary.init)
    }

    /// Removes finished jobs; with `isDryRun` only counts.
    package func collectGarbage(
        olderThanSeconds: UInt64, maxBytes: UInt64, isDryRun: Bool
    ) async throws(ClientError) -> GarbageResult {
        let reply = try await call(
            Domed_V1_DomedService.collectGarbage,
            .with { request in
                request.olderThanSeconds = olderThanSeconds
                request.maxBytes = maxBytes
                request.dryRun = isDryRun
            })
        try Self.check(reply.status)
        var result = GarbageResult()
        result.jobsRemoved = reply.jobsRemoved
        result.bytesFreed = reply.bytesFreed
        return result
    }

    /// The events past `sinceSeq` on one connection; see `JobFollower` for one that survives it.
    package func events(_ id: String, follow: Bool, sinceSeq: UInt64) async throws(ClientError) -> EventStream {
        EventStream(
            try await usableConnection(), metadata, Domed_V1_DomedService.streamJobEvents,
            .with { request in
                request.jobId = id
                request.follow = follow
                request.sinceSeq = sinceSeq
            }, read: JobEvent.init)
    }

    static func check(_ status: Domed_V1_RpcStatus?) throws(ClientError) {
        do throws(DomeError) {
            try status.get()
        } catch {
            throw .refused(error)
        }
    }
}
