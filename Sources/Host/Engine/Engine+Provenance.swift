internal import DomeAsync
internal import DomeCatalog
internal import DomeModel
internal import DomePlatform
internal import Glibc

extension Engine {
    /// What can be said before the job runs; stored with its admission.
    func initialProvenance(_ accepted: AcceptedRequest) -> JSONObject {
        let tool = accepted.tool
        let hashes = Self.contractHashes(tool)
        let caller = accepted.request.caller
        var invocation: JSONObject = [
            "profile": .string(accepted.request.profile),
            "grants": .array(accepted.grants.map { .string($0) }),
            "caller": [
                "uid": .integer(Int64(caller.userID)), "pid": .integer(Int64(caller.processID)),
                "executable": .string(Self.link("/proc/\(caller.processID)/exe")),
                "cwd": .string(Self.link("/proc/\(caller.processID)/cwd")),
            ],
        ]
        var constraints: JSONObject = ["priority": .integer(accepted.constraints.priority)]
        // Of what else is in them, only the tool knows whether it is secret.
        if let limit = accepted.constraints.timeoutMilliseconds { constraints["timeout_ms"] = .count(limit) }
        invocation["constraints"] = .object(constraints)
        // It was checked with the request.
        if let stated = try? accepted.request.statedCaller() { invocation["stated_caller"] = .object(stated) }
        if let trace = accepted.request.trace { invocation["traceparent"] = .string(trace.text) }
        return [
            "contract_hashes": .object(hashes), "input_hash": .string("sha256:" + accepted.inputHash),
            "tool": ["id": .string(tool.manifest.id), "version": .string(tool.manifest.version)],
            "executor": .string(executorVersion(tool.manifest)), "invocation": .object(invocation),
            "executor_library_sha256": .string(executorLibrary(tool)), "policy_sha256": .string(policy.digest),
        ]
    }

    /// Everything about the tool itself.
    static func contractHashes(_ tool: Tool) -> JSONObject {
        var hashes: JSONObject = ["tool_manifest_sha256": .string(tool.hashes.manifest)]
        hashes["input_schema_sha256"] = .string(tool.hashes.inputSchema)
        hashes["output_schema_sha256"] = .string(tool.hashes.outputSchema.isEmpty ? "none" : tool.hashes.outputSchema)
        hashes["tool_material_sha256"] = .string(tool.hashes.material)
        for file in tool.hashes.files { hashes["file:" + file.name] = .string(file.sha256) }
        return hashes
    }

    func executorVersion(_ manifest: ToolManifest) -> String {
        guard case .executor(let id, _) = manifest.execution else { return "\(manifest.executorBackend) \(version)" }
        return "\(id) \(plugins.snapshot[id]?.file?.version ?? "unknown")"
    }

    /// Of the plugin that carries the tool out.
    func executorLibrary(_ tool: Tool) -> String {
        guard case .executor(let id, _) = tool.manifest.execution else { return "none" }
        let digest = plugins.snapshot[id]?.librarySHA256 ?? ""
        return digest.isEmpty ? "unknown" : digest
    }

    /// What the job's program and its caller's are, byte for byte; looked at once for as long as the files stay the same.
    private func programs(of job: LiveJob) async -> (program: JSONValue, callerSHA256: JSONValue) {
        var program: JSONValue = "none"
        if let path = job.plan?.arguments.first, path.hasPrefix("/") {
            program = await programFacts(path).document
        }
        let caller = JSONValue.object(job.provenance)["invocation"]?["caller"]?["executable"]?.stringValue ?? ""
        guard caller.hasPrefix("/") else { return (program, "unknown") }
        return (program, .string(await programFacts(caller).sha256))
    }

    /// Of a file that cannot be read in time (it may lie on a dead mount), nothing is known.
    func programFacts(_ path: String) async -> ProgramFacts {
        if let known = facts.knownProgram(path) { return known }
        let answer = OneShot<ProgramFacts>()
        ask { [facts] in answer.set(await facts.program(path)) }
        return await answered(answer) ?? ProgramFacts(path: path, sha256: "unknown")
    }

    /// Puts a question to the thread of facts.
    private func ask(_ question: @escaping @Core () async -> Void) {
        Core.task { [self] in
            await question()
            factsAreLate = false
        }
    }

    /// The answer, if it comes in time. After one that did not, nobody waits until that thread answers again: no second
    /// job is held up by what has stopped it.
    private func answered<Value: Sendable>(_ answer: OneShot<Value>) async -> Value? {
        let value = await answer.wait(milliseconds: factsAreLate ? 0 : Self.factsPatienceMilliseconds)
        if value == nil { factsAreLate = true }
        return value
    }

    /// Git has a time limit of its own per question; this is the bound of all of them together.
    private static let factsPatienceMilliseconds: UInt64 = 5_000

    private static func link(_ path: String) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &buffer, buffer.count)
        guard count > 0 else { return "unknown" }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Has git asked about the caller's folder, and the tool's, while the job runs.
    func readSource(of job: LiveJob) {
        let caller = JSONValue.object(job.provenance)["invocation"]?["caller"]
        if let folder = caller?["cwd"]?.stringValue, folder.hasPrefix("/") {
            readSource(folder) { job.source.set($0) }
        } else {
            job.source.set(GitFacts())
        }
        if let tool = job.request?.tool, tool.plugin == nil, !catalog.isReleased(tool) {
            readSource(tool.directory) { job.toolSource.set($0) }
        } else {
            job.toolSource.set(nil)
        }
    }

    private func readSource(_ folder: String, _ body: @escaping @Core (GitFacts) -> Void) {
        let now = Clock.monotonicNanoseconds()
        if let known = facts.known(folder, at: now) { return body(known) }
        ask { [facts] in body(await facts.facts(of: folder, at: now)) }
    }

    private static func document(of source: GitFacts) -> JSONValue {
        [
            "repo": .string(source.repository), "remote": .string(source.remote), "commit_sha": .string(source.commit),
            "dirty_flag": .bool(source.isDirty), "diff_sha256": .string(source.diffSHA256),
        ]
    }

    /// What can be written of a job's end before it ends; made once.
    func documents(of job: LiveJob) async -> JobDocuments {
        if let documents = job.documents { return documents }
        let source = await answered(job.source) ?? GitFacts()
        let host = await hostFacts.wait()
        var document = job.provenance
        document["repo"] = .string(source.repository)
        document["remote"] = .string(source.remote)
        document["commit_sha"] = .string(source.commit)
        document["dirty_flag"] = .bool(source.isDirty)
        document["tool_versions"] = [
            "domed": .string(version), "executor": document["executor"] ?? "unknown",
            "python": .string(host.python), "tool": document["tool"]?["version"] ?? "unknown",
        ]
        document["env_fingerprint"] = host.fingerprint
        document["env_sha256"] = .string(host.sha256)
        let programs = await programs(of: job)
        document["program"] = programs.program
        document["caller_executable_sha256"] = programs.callerSHA256
        document["source_diff_sha256"] = .string(source.diffSHA256)
        if let toolSource = await answered(job.toolSource) ?? GitFacts() {
            document["tool_source"] = Self.document(of: toolSource)
        }
        document["sandbox_profile_sha256"] = .string(job.plan.map { SandboxProfile($0).digest } ?? "none")
        let documents = JobDocuments(provenance: document, plan: job.plan)
        job.documents = documents
        return documents
    }
}
