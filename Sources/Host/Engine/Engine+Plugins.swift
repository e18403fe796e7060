internal import DomeAsync
internal import DomeCatalog
internal import DomeLink
internal import DomeModel
internal import DomePlatform
internal import DomeSchema
internal import DomeStore

extension Engine {
    /// All plugins as they are now, or the one with `id`; those that are ready say how they are if that is asked for.
    package func listPlugins(id: String = "", withHealth: Bool = false) async -> [PluginReport] {
        await refreshPlugins()
        var reports: [PluginReport] = []
        for record in plugins.snapshot.records where id.isEmpty || record.id == id {
            var report = PluginReport(record)
            if withHealth, record.state == .ready { report.health = await health(of: record) }
            reports.append(report)
        }
        return reports
    }

    private func health(of record: PluginRecord) async -> PluginHealth {
        guard record.file?.kind == .adapter else {
            let worker = workers[record.id]?.worker
            return worker?.health ?? PluginHealth(isOK: false, message: "it has no worker")
        }
        do throws(DomeError) {
            let prepared = try await plugins.prepared(record)
            return await healthCheck.health(of: prepared.plugin, secrets: prepared.secrets)
        } catch {
            return PluginHealth(isOK: false, message: error.message)
        }
    }

    /// Looks for plugins again if anything about them changed; what is new has been scanned when this returns.
    func refreshPlugins() async {
        guard await plugins.refresh() else { return }
        applyPlugins()
    }

    /// Brings tools and workers into line with the plugins as they are now.
    private func applyPlugins() {
        let snapshot = plugins.snapshot
        catalog.setPluginTools(snapshot.tools)
        let executors = snapshot.records.filter { $0.state == .ready && $0.file?.kind == .executor }
        for (id, entry) in workers {
            let record = executors.first { $0.id == id }
            if let record, record.identity.isSameProgram(as: entry.identity) {
                entry.worker.renew(record)
                workers[id] = (entry.worker, record.identity)
            } else {
                entry.worker.retire()
                workers[id] = nil
            }
        }
        for record in executors where workers[record.id] == nil {
            let worker = makeWorker(record)
            worker.onEnded = { [weak self] crash, jobID in self?.noteEnd(of: record.id, crash, jobID) }
            workers[record.id] = (worker, record.identity)
            worker.warmUp()
        }
    }

    /// What is wrong with plugins, a sentence each; what the user has switched off is not.
    var pluginProblems: [String] {
        plugins.snapshot.records.filter { $0.state != .ready && $0.state != .disabled && $0.state != .shadowed }
            .map { "plugin \($0.id.isEmpty ? $0.folder : $0.id) is \($0.state.rawValue): \($0.reason)" }
    }

    /// Refuses a tool whose plugin cannot carry it out, with the reason.
    func checkPlugin(of tool: Tool) async throws(DomeError) {
        guard case .executor(let id, let entrypoint) = tool.manifest.execution else { return }
        if plugins.snapshot.refusal(id, for: tool.manifest.id) != nil {
            await refreshPlugins()
            if let refusal = plugins.snapshot.refusal(id, for: tool.manifest.id) { throw refusal }
        }
        guard let plugin = plugins.snapshot[id], let file = plugin.file, file.kind == .adapter else { return }
        _ = try Self.action(entrypoint, plugin, tool.manifest.id)
        guard tool.plugin == nil else { return }
        // A tool of the registry: within what the plugin may have.
        let manifest = tool.manifest
        let given = file.permissions + file.optionalPermissions
        for permission in manifest.permissions + manifest.optionalPermissions where !permission.isWithin(given) {
            throw DomeError(
                .policyDenied, "\(manifest.id) asks for \(permission), which its plugin \(id) does not have itself")
        }
        guard !manifest.usesTerminal, manifest.standardInput == .none, manifest.files.isEmpty else {
            throw DomeError(.invalidRequest, "\(manifest.id): an adapter's job has no tty, stdin or files")
        }
        _ = try Self.config(entrypoint, plugin, manifest.id)
    }

    private static func action(
        _ entrypoint: JSONObject, _ plugin: PluginRecord, _ toolID: String
    ) throws(DomeError) -> String {
        let known = plugin.declaration?.actions.map(\.name) ?? []
        guard let action = entrypoint["action"]?.stringValue, known.contains(action) else {
            throw DomeError(
                .invalidRequest,
                "\(toolID): entrypoint: \"action\" must be one of plugin \(plugin.id)'s: \(known.joined(separator: ", "))"
            )
        }
        return action
    }

    /// The user's configuration of the plugin with the tool's over it.
    private static func config(
        _ entrypoint: JSONObject, _ plugin: PluginRecord, _ toolID: String
    ) throws(DomeError) -> String {
        guard let own = entrypoint["config"] else { return JSONValue.object(plugin.config).compact }
        guard let members = own.objectValue?.members else {
            throw DomeError(.invalidRequest, "\(toolID): entrypoint: \"config\" must be an object")
        }
        var config = plugin.config
        for (name, value) in members { config[name] = value }
        let violations = plugin.declaration?.configSchema?.validate(.object(config)) ?? []
        guard violations.isEmpty else {
            throw DomeError(
                .invalidRequest,
                "\(toolID): entrypoint: config does not fit plugin \(plugin.id): "
                    + violations.map(\.description).joined(separator: "; "))
        }
        return JSONValue.object(config).compact
    }

    /// The launch plan of an adapter's job: a fresh worker in the jail, over the plugin's folder, with what the job is.
    func adapterPlan(
        _ job: LiveJob, _ request: AcceptedRequest, _ plugin: PluginRecord, _ entrypoint: JSONObject
    ) async throws(DomeError) -> LaunchPlan {
        var plugin = plugin
        // It was looked at up to a second ago, or long ago if this is the first job since.
        if await rules.isReplaced(plugin) {
            await refreshPlugins()
            plugin = plugins.snapshot[plugin.id] ?? plugin
        }
        if let refusal = plugins.snapshot.refusal(plugin.id, for: job.toolID) { throw refusal }
        let bounds = request.bounds(job.id)
        var plan = LaunchPlan(
            jobID: job.id, arguments: [AdapterJob.workerPath, "--job"],
            environment: bounds.environment.map { "\($0.name)=\($0.value)" })
        plan.mounts = bounds.mounts + [workerMount] + plugin.mounts
        (plan.network, plan.allowsUnixSockets) = (bounds.network, bounds.allowsUnixSockets)
        plan.limits = bounds.limits
        plan.hasReports = true
        plan.files = [PlannedFile(path: ".dome/task.json", mode: 0o444, bytes: Array(bounds.taskJSON.utf8))]
        var work = AdapterJob()
        (work.pluginID, work.pluginVersion) = (plugin.id, plugin.file?.version ?? "")
        work.library = plugin.file?.library ?? ""
        work.identity = plugin.libraryIdentity?.text ?? ""
        (work.jobID, work.toolID, work.payload) = (job.id.text, job.toolID, request.taskJSON)
        work.action = try Self.action(entrypoint, plugin, job.toolID)
        work.config = try Self.config(entrypoint, plugin, job.toolID)
        work.wallMilliseconds = plan.limits.wallMilliseconds
        if plugin.file?.secrets.isEmpty == false { work.secrets = try await plugins.secrets(plugin.id) }
        plan.standardInput = .bytes(work.bytes)
        return plan
    }

    // MARK: Crashes

    /// Signals that a program's own fault raises.
    private static let crashSignals: Set<Int32> = [3, 4, 5, 6, 7, 8, 11, 31]

    /// Counts the end of an adapter's job for or against its plugin.
    func notePluginEnd(of job: LiveJob, _ exit: ExitReport) {
        guard job.plan?.hasReports == true, exit.cause == .exited || exit.cause == .pluginFailed,
            case .executor(let id, _)? = job.request?.tool.manifest.execution
        else { return }
        if let signal = exit.signal, Self.crashSignals.contains(signal) {
            let reason = exit.message.isEmpty ? "signal \(signal)" : exit.message
            noteCrash(of: id, reason, jobID: job.id.text)
        } else if plugins.snapshot[id]?.crashes.consecutive ?? 0 > 0 {
            Core.task { [self] in
                await plugins.noteSurvival(id)
                applyPlugins()
            }
        }
    }

    /// The end of an executor's worker: `crash` says where, nil that a call of it succeeded.
    private func noteEnd(of id: String, _ crash: String?, _ jobID: String) {
        if let crash { return noteCrash(of: id, crash, jobID: jobID) }
        guard plugins.snapshot[id]?.crashes.consecutive ?? 0 > 0 else { return }
        Core.task { [self] in
            await plugins.noteSurvival(id)
            applyPlugins()
        }
    }

    private func noteCrash(of id: String, _ reason: String, jobID: String) {
        Log.error("plugin.crashed", ["plugin": id, "job": jobID, "reason": reason])
        Core.task { [self] in
            let isQuarantined = await plugins.noteCrash(id, reason, jobID: jobID)
            applyPlugins()
            audit(isQuarantined ? .pluginQuarantined : .pluginCrashed, id, reason, jobID)
        }
    }

    private func audit(_ kind: AuditKind, _ id: String, _ reason: String, _ jobID: String) {
        pendingAudit.add(
            AuditEntry(
                kind, timeNanoseconds: Clock.wallNanoseconds(), actor: Self.ownCaller, jobID: JobID(jobID),
                outcome: kind.rawValue,
                details: ["plugin": .string(id), "reason": .string(reason.cut(toBytes: 1_000))]))
    }
}
