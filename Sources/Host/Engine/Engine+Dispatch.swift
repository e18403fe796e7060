internal import DomeAsync
internal import DomeCatalog
internal import DomeLink
internal import DomeModel
internal import DomePlatform
internal import DomeStore

extension Engine {
    func takePlace(_ job: LiveJob) {
        job.hasPlace = true
        placesTaken += 1
    }

    func givePlaceBack(_ job: LiveJob) {
        guard job.hasPlace else { return }
        job.hasPlace = false
        placesTaken -= 1
        startWaiting()
    }

    /// Starts jobs from the queue while there are places.
    func startWaiting() {
        while !isDraining, placesTaken < configuration.maxRunningJobs, let id = queue.next() {
            guard let job = live[id] else { continue }
            takePlace(job)
            Core.task { [self] in
                await prepare(job)
                await run(job)
            }
        }
    }

    /// Makes the process of a job that has a place, up to the gate; `launched` says what came of it.
    func prepare(_ job: LiveJob) async {
        defer { job.isExamined.set(nil) }
        do throws(DomeError) {
            guard let request = job.request else {
                throw DomeError(.notFound, "tool not found: \(job.toolID) (it was there when the job came)")
            }
            if case .executor = request.tool.manifest.execution {
                if let plan = try await plan(job, request) {
                    try await examine(job, plan)
                    try await launch(job, plan)
                } else {
                    job.isElsewhere = true
                }
            }
            job.launched.set(.success(()))
        } catch {
            job.launched.set(.failure(error))
        }
    }

    /// Asks the executor plugin, in its worker; returns when the question is on its way.
    func startPlanning(_ job: LiveJob) {
        guard let request = job.request, case .executor(let id, let entrypoint) = request.tool.manifest.execution
        else { return }
        do throws(DomeError) {
            if plugins.snapshot[id]?.file?.kind == .adapter { return }
            guard let worker = workers[id]?.worker else {
                throw DomeError(.notFound, "executor plugin not found: \(id), which tool \(job.toolID) needs")
            }
            let bounds = request.bounds(job.id)
            let document = request.jobDocument(job.id, entrypoint, bounds)
            let answer = try worker.prepare(document, for: job.id)
            job.planning = .success(Planning(executor: id, bounds: bounds, answer: answer))
        } catch {
            job.planning = .failure(error)
        }
    }

    /// Waits for the executor's plan and holds it against what the job may have; nil for a job that the executor drives
    /// itself.
    private func plan(_ job: LiveJob, _ request: AcceptedRequest) async throws(DomeError) -> LaunchPlan? {
        if case .executor(let id, let entrypoint) = request.tool.manifest.execution,
            let plugin = plugins.snapshot[id], plugin.file?.kind == .adapter
        {
            return try await adapterPlan(job, request, plugin, entrypoint)
        }
        if job.planning == nil { startPlanning(job) }
        guard let planning = try job.planning?.get() else {
            throw DomeError(.internal, "\(job.toolID) has no executor")
        }
        guard case .document(let document) = try await planning.answer.wait().get() else { return nil }
        var plan = try PlanReview(planning.bounds).plan(from: document, executor: planning.executor)
        plan.files += request.tool.files
        if request.tool.manifest.standardInput == .task, plan.standardInput == .none {
            plan.standardInput = .bytes(Array(request.taskJSON.utf8))
        }
        return plan
    }

    /// Refuses a plan whose program is not there, where there is an inner server to ask.
    private func examine(_ job: LiveJob, _ plan: LaunchPlan) async throws(DomeError) {
        let search = ProgramSearch(plan)
        guard !programs.contains(search), let server = keepers.readyServer(for: plan.network) else {
            _ = job.isExamined.set(nil)
            return
        }
        let verdict = await rules.find(search, innerServer: server.processID)
        if verdict == .thereForAll { programs.add(search) }
        // Its number may have been another process's by then.
        let isSame = keepers.readyServer(for: plan.network)?.processID == server.processID
        let refusal = isSame ? verdict.refusal : nil
        job.isExamined.set(refusal)
        if let refusal { throw refusal }
    }

    /// Hands the plan to a keeper, gate closed.
    func launch(_ job: LiveJob, _ plan: LaunchPlan) async throws(DomeError) {
        let keeper = try await keepers.usable(for: plan.network)
        guard live[job.id] === job else { throw DomeError(.notFound, "job \(job.id) was thrown away meanwhile") }
        job.plan = plan
        job.keeper = keeper
        keeper.send(
            .launch(
                KeeperLaunch(
                    plan: plan, isGated: true,
                    runningEvent: LinkEvent(.stateChange, stateChangePayload(from: .queued, to: .running)))))
    }

    /// From the gate to the end. The job is admitted and has a place.
    func run(_ job: LiveJob) async {
        if case .failure(let error) = await job.launched.wait() {
            job.keeper?.send(.abort(job.id))
            return await finish(job, JobEnding(refusal: error))
        }
        if let request = job.request, case .diagnostic(let diagnostic) = request.tool.manifest.execution {
            return await runDiagnostic(job, request, diagnostic)
        }
        // A cancel that came while the job was being prepared: nothing of it has run, and its journal is ours.
        if job.isCancelRequested, !job.isOnItsWay {
            job.keeper?.send(.abort(job.id))
            return await finish(job, .canceledInQueue)
        }
        if job.isElsewhere { return await drive(job) }
        openGate(job)
        if case .refused(let error) = await job.gate.wait() { return await finish(job, JobEnding(refusal: error)) }
        await finish(job, exited: await job.exit.wait())
    }

    /// Lets an admitted job run. No need to wait until it stands at its gate: it finds it open.
    func openGate(_ job: LiveJob) {
        guard !job.isOnItsWay, !job.isElsewhere else { return }
        job.isOnItsWay = true
        job.keeper?.send(.go(job.id))
    }

    private func runDiagnostic(
        _ job: LiveJob, _ request: AcceptedRequest, _ diagnostic: ToolManifest.Diagnostic
    ) async {
        let run: DiagnosticRun
        switch diagnostic {
        case .noop: run = .noop
        case .log: run = .log(lines: (request.task["lines"]?.arrayValue ?? []).map { $0.stringValue ?? $0.compact })
        case .fail: run = .fail(reason: request.task["reason"]?.stringValue ?? "failed")
        }
        job.state = .running
        job.startedNanoseconds = Clock.wallNanoseconds()
        do throws(DomeError) {
            await finish(job, try await files.runDiagnostic(job.id, run))
        } catch {
            await finish(
                job, JobEnding(from: .running, state: .failed, reason: error.code.reason, message: error.message))
        }
    }

    /// Has the row say "running", for those who look into the database; a job that is over in a moment never does.
    func noteRunning(_ job: LiveJob, _ startedNanoseconds: Int64) {
        Core.loop.schedule(afterMilliseconds: 250) { [store, weak job] in
            Core.assumeIsolated {
                guard let job, job.end.value == nil, job.state == .running else { return }
                store.markRunning(job.id, startedNanoseconds: startedNanoseconds)
            }
        }
    }
}

extension JobEnding {
    static let canceledInQueue = JobEnding(
        from: .queued, state: .canceled, reason: "canceled", message: "canceled before it started")
}

extension AcceptedRequest {
    /// What an executor's `prepare` gets, as text: put together from texts that are there already.
    func jobDocument(_ id: JobID, _ entrypoint: JSONObject, _ bounds: PlanBounds) -> [UInt8] {
        var environment = JSONObject()
        for variable in bounds.environment { environment[variable.name] = .string(variable.value) }
        let rest: JSONValue = [
            "job_id": .string(id.text), "run_id": .string(id.runID), "tool_id": .string(tool.manifest.id),
            "profile": .string(request.profile), "entrypoint": .object(entrypoint), "work_directory": "/job",
            "grants": .array(grants.map { .string($0) }), "environment": .object(environment),
        ]
        var document: [UInt8] = []
        document.reserveCapacity(2_048 + taskJSON.utf8.count * 2 + tool.manifestText.utf8.count)
        JSONText.write(rest, into: &document, order: .given)
        document.removeLast()
        for (name, text) in [("task", taskJSON), ("constraints", constraintsJSON), ("manifest", tool.manifestText)] {
            document.append(contentsOf: ",\"\(name)\":".utf8)
            document.append(contentsOf: text.utf8)
        }
        document.append(UInt8(ascii: "}"))
        return document
    }
}
