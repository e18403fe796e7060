internal import DomeAsync
internal import DomeCatalog
internal import DomeLink
package import DomeModel
internal import DomePlatform
internal import DomeStore

extension Engine {
    /// Admits a job durably and waits for its end as long as the request says. Errors are the domain's: nothing of
    /// a refused request remains but an audit row for what the policy denied.
    package func submit(_ request: SubmitRequest) async throws(DomeError) -> SubmitReply {
        do throws(DomeError) { return try await admitAndWait(request) } catch {
            metrics.refused(error.code)
            throw error
        }
    }

    private func admitAndWait(_ request: SubmitRequest) async throws(DomeError) -> SubmitReply {
        let began = Clock.monotonicNanoseconds()
        guard !isDraining else { throw DomeError(.resourceExhausted, "the daemon is shutting down; try again") }
        try pendingAudit.check()
        let accepted: AcceptedRequest
        do throws(DomeError) {
            accepted = try await accept(request)
        } catch {
            // A repeated request is the same job again, also when the registry or the policy have changed since.
            if let replayed = try await replay(of: request) { return replayed }
            if error.code == .policyDenied { await audit(denied: request, error) }
            throw error
        }
        let admission = try await admit(accepted)
        if !admission.isReplayed {
            metrics.admitted(accepted.tool.manifest.id, nanoseconds: Clock.monotonicNanoseconds() - began)
        }
        return try await reply(
            admission.id, isReplayed: admission.isReplayed, accepted.constraints,
            remark: accepted.tool.deprecationRemark)
    }

    /// Waits for the job's end as long as the request says.
    private func reply(
        _ id: JobID, isReplayed: Bool, _ constraints: Constraints, remark: String? = nil
    ) async throws(DomeError) -> SubmitReply {
        let wait = constraints.waitMilliseconds ?? configuration.executeWaitMilliseconds
        let report: JobReport
        if let job = live[id] {
            report = await job.end.wait(milliseconds: wait) ?? job.report(lastSeq: hub.head(of: id)?.lastSeq ?? 0)
        } else {
            report = try await self.job(id)
        }
        let word = isReplayed ? "replayed" : "submitted"
        return SubmitReply(
            report: report, isReplayed: isReplayed,
            message: [word, constraints.hint, remark].compactMap(\.self).joined(separator: "; "))
    }

    /// The answer to a refused request that was admitted before, word for word; nil for any other.
    private func replay(of request: SubmitRequest) async throws(DomeError) -> SubmitReply? {
        guard let record = try await store.job(forKey: request.idempotencyKey) else { return nil }
        do throws(DomeError) {
            let (task, constraints) = try Self.documents(of: request)
            guard try AcceptedRequest.requestHash(request, task, constraints) == record.requestHash else { return nil }
            return try await reply(record.jobID, isReplayed: true, constraints)
        } catch {
            return nil
        }
    }

    /// The task and the constraints, parsed.
    private static func documents(of request: SubmitRequest) throws(DomeError) -> (SubmittedTask, Constraints) {
        (
            try SubmittedTask(parsing: request.taskJSON, what: "task_json"),
            try Constraints(parsing: request.constraintsJSON)
        )
    }

    /// Checks a request against catalog, schema and policy, in that order. Writes nothing.
    private func accept(_ request: SubmitRequest) async throws(DomeError) -> AcceptedRequest {
        try request.checkFields()
        let tool = try await currentTool(request.skillID)
        let (task, constraints) = try Self.documents(of: request)
        try tool.checkTask(task.tree)
        let accepted = try await accept(request, tool, task, constraints)
        // A host that cannot enforce the sandbox is known from the start-up probe: no job is begun there.
        if case .executor = tool.manifest.execution {
            let effective = accepted.effective
            if let refusal = keepers.refusal(for: effective.network) { throw refusal }
            let server = keepers.readyServer(for: effective.network)
            if let obstacle = server?.obstacles(
                allowsUnixSockets: effective.allowsUnixSockets, tool.manifest.limits
            ).first {
                throw DomeError(.policyDenied, "\(tool.manifest.id): \(obstacle)")
            }
        }
        return accepted
    }

    /// The rest of it, which recovery repeats for a job that still waits.
    func accept(
        _ request: SubmitRequest, _ tool: Tool, _ task: SubmittedTask, _ constraints: Constraints
    ) async throws(DomeError) -> AcceptedRequest {
        try await checkPlugin(of: tool)
        try await requirements.check(tool.manifest)
        try pins.check(tool)
        let policy = try await currentPolicy()
        let effective =
            constraints.grants.isEmpty && !tool.manifest.namesPaths
            ? try policy.evaluate(tool.manifest, grants: [])
            : try await rules.evaluate(policy, tool, grants: constraints.grants)
        let accepted = try AcceptedRequest(
            request, tool: tool, task: task, constraints: constraints, effective: effective,
            passedEnvironment: effective.passedEnvironment)
        await pins.noteUse(of: tool)
        return accepted
    }

    /// The policy as its file is now.
    func currentPolicy() async throws(DomeError) -> Policy {
        try await policy.current { () async throws(DomeError) in
            try await self.rules.loadPolicy(self.directories)
        }
    }

    /// The tool as the registry has it now: one that is missing is looked for on disk once more.
    func currentTool(_ id: String) async throws(DomeError) -> Tool {
        refreshCatalog()
        if let tool = catalog.snapshot[id: id] { return tool }
        await reloadRegistry()
        return try catalog.snapshot.tool(id)
    }

    /// One transaction: job row, idempotency key, audit intent. While it is on its way to the disk, the job's
    /// process is prepared up to the gate; a replay or a refusal throws that away.
    private func admit(_ accepted: AcceptedRequest) async throws(DomeError) -> (id: JobID, isReplayed: Bool) {
        if let replay = try await replayWhenFull(accepted) { return (replay, true) }
        let spare = takeSpare()
        let job = LiveJob(accepted, id: JobID.make(shard: spare?.shard))
        // Known before the commit, so that nothing the keeper says of it is missed; not yet visible to clients.
        live[job.id] = job
        if placesTaken < configuration.maxRunningJobs, queue.count == 0 { takePlace(job) }
        let isToWait = !job.hasPlace
        if isToWait { queuePlacesPromised += 1 }
        defer { if isToWait { queuePlacesPromised -= 1 } }
        if job.hasPlace { startPlanning(job) }
        if job.hasPlace { Core.task { [self] in await prepare(job) } }
        // Everything up to the gate waits for the launch, the commit only for the disk: the plugin's answer goes first.
        if job.hasPlace, let refusal = await refusalInTime(job) {
            discard(job, spare)
            if let replayed = try await admittedBefore(accepted) { return (replayed, true) }
            throw refusal
        }
        job.provenance = initialProvenance(accepted)
        let new: NewJob
        do throws(DomeError) { new = try newJob(job, accepted) } catch {
            discard(job, spare)
            throw error
        }
        let (result, folder) = await commit(new, spare)
        guard case .success(.admitted) = result else {
            // The answer does not wait for what is thrown away.
            Core.task { [self] in
                if job.hasPlace { _ = await job.launched.wait() }
                discard(job, spare)
            }
            guard case .replayed(let record) = try result.get() else { return (job.id, false) }
            return (record.jobID, true)
        }
        // First of all: the tool waits for it, and everybody for the tool.
        if case (.success, .success) = (folder, job.launched.value) { openGate(job) }
        let queued = try? folder.get()
        hub.publish(job.id, EventHub.Head(lastSeq: 1, isTerminal: false, changes: queued.map { [$0] } ?? []))
        job.isVisible.set(true)
        readSource(of: job)
        if case .failure(let error) = folder {
            Core.task { [self] in
                if job.hasPlace { _ = await job.launched.wait() }
                job.keeper?.send(.abort(job.id))
                await finish(job, JobEnding(refusal: error))
            }
        } else if job.hasPlace {
            Core.task { [self] in await run(job) }
        } else {
            queue.add(job.id, priority: job.priority)
            startWaiting()
        }
        return (job.id, false)
    }

    /// Commits the admission and, in one go on the store's thread, makes the job's folder with its first event: the
    /// keeper needs it when the gate opens. A daemon that dies between the two is followed by one that makes it.
    private func commit(
        _ new: NewJob, _ spare: SpareFolders.Spare?
    ) async -> (Result<Admission, DomeError>, folder: Result<EventHub.StateChange?, DomeError>) {
        await withUnsafeContinuation { continuation in
            store.admit(new) { [files] result in
                var folder = Result<EventHub.StateChange?, DomeError>.success(nil)
                if case .success(.admitted) = result {
                    folder = Result { () throws(DomeError) in try files.create(new.jobID, from: spare) }
                }
                continuation.resume(returning: (result, folder))
            }
        }
    }

    /// Why its plan is refused, if that is so and is known soon enough. Longer than that nobody is left without an answer
    /// because an executor thinks: its job is admitted, and fails if its program is not there.
    private func refusalInTime(_ job: LiveJob) async -> DomeError? {
        if await job.launched.wait(milliseconds: 2) != nil { return job.isExamined.value ?? nil }
        return await job.isExamined.wait(milliseconds: 1_000) ?? nil
    }

    /// The job that was admitted for the same key before, if there is one; the key of another request is an error.
    private func admittedBefore(_ accepted: AcceptedRequest) async throws(DomeError) -> JobID? {
        guard let record = try await store.job(forKey: accepted.request.idempotencyKey) else { return nil }
        guard record.requestHash == accepted.requestHash else { throw record.refusalOfKey }
        return record.jobID
    }

    /// With a full queue, only what was admitted before is answered.
    private func replayWhenFull(_ accepted: AcceptedRequest) async throws(DomeError) -> JobID? {
        guard queue.count + queuePlacesPromised >= configuration.maxQueuedJobs else { return nil }
        if let replayed = try await admittedBefore(accepted) { return replayed }
        throw DomeError(
            .resourceExhausted,
            "the queue is full: \(queue.count) jobs wait; try again later, or raise max_queued_jobs in config.json")
    }

    private func newJob(_ job: LiveJob, _ accepted: AcceptedRequest) throws(DomeError) -> NewJob {
        var details = JSONObject()
        details["profile"] = .string(job.profile)
        details["tool_material_sha256"] = .string(accepted.tool.hashes.material)
        details["grants"] = .array(accepted.grants.map { .string($0) })
        if let stated = try? accepted.request.statedCaller() { details["stated_caller"] = .object(stated) }
        var new = NewJob(
            jobID: job.id, toolID: job.toolID, profile: job.profile,
            idempotencyKey: accepted.request.idempotencyKey, requestHash: accepted.requestHash, caller: job.caller,
            createdNanoseconds: job.createdNanoseconds,
            intent: AuditEntry(
                .intent, timeNanoseconds: job.createdNanoseconds, actor: job.caller, jobID: job.id,
                toolID: job.toolID, details: details,
                // Kept with the job's request: the leaf has a code of it.
                payload: try AuditPayload(Array(accepted.taskJSON.utf8), isKeptHere: false)))
        new.taskJSON = accepted.taskJSON
        new.constraintsJSON = accepted.constraintsJSON
        new.grantsJSON = JSONValue.array(accepted.grants.map { .string($0) }).compact
        new.provenanceJSON = JSONValue.object(job.provenance).compact
        return new
    }

    private static let keptPayloadBytes = 64 << 10

    /// A refusal is remembered too. A log that cannot be written must not turn the refusal into a success: it is
    /// written when that is possible again, and with too many that wait nothing more is looked at.
    private func audit(denied request: SubmitRequest, _ error: DomeError) async {
        var details = JSONObject()
        details["reason"] = .string(error.message.cut(toBytes: 1_000))
        // A long one is not kept: what is refused shall not fill the disk.
        let task = Array(request.taskJSON.utf8)
        let entry = AuditEntry(
            .denied, timeNanoseconds: Clock.wallNanoseconds(), actor: request.caller,
            toolID: request.skillID.cut(toBytes: 256), outcome: "denied", details: details,
            payload: try? AuditPayload(task, isKeptHere: task.count <= Self.keptPayloadBytes))
        await pendingAudit.record(entry)
    }

    /// Throws away what was prepared for a job that was not admitted.
    private func discard(_ job: LiveJob, _ spare: SpareFolders.Spare?) {
        job.isVisible.set(false)
        job.keeper?.send(.abort(job.id))
        live[job.id] = nil
        givePlaceBack(job)
        if let spare { files.spares.giveBack(spare) }
    }
}

extension JobEnding {
    /// The ending of an admitted job that was refused before it ran.
    init(refusal error: DomeError) {
        self.init(from: .queued, state: .failed, reason: error.code.reason, message: error.message)
    }
}

extension ErrorCode {
    /// The code as a word for `reason`, e.g. "policy_denied".
    var reason: String { String(name.dropFirst(2).lowercased()) }
}
