internal import DomeAsync
internal import DomeCatalog
internal import DomeModel
internal import DomePlatform
internal import Glibc

extension Engine {
    /// What can be said before the job runs; stored with its admission.
    func initialProvenance(_ accepted: AcceptedRequest) -> JSONObject {
        let tool = accepted.tool
        var hashes: JSONObject = ["tool_manifest_sha256": .string(tool.hashes.manifest)]
        hashes["input_schema_sha256"] = .string(tool.hashes.inputSchema)
        hashes["output_schema_sha256"] = .string(tool.hashes.outputSchema.isEmpty ? "none" : tool.hashes.outputSchema)
        hashes["tool_material_sha256"] = .string(tool.hashes.material)
        for file in tool.hashes.files { hashes["file:" + file.name] = .string(file.sha256) }
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
        // It was checked with the request.
        if let stated = try? accepted.request.statedCaller() { invocation["stated_caller"] = .object(stated) }
        return [
            "contract_hashes": .object(hashes), "input_hash": .string("sha256:" + accepted.inputHash),
            "tool": ["id": .string(tool.manifest.id), "version": .string(tool.manifest.version)],
            "executor": .string(executorVersion(tool.manifest)), "invocation": .object(invocation),
        ]
    }

    private func executorVersion(_ manifest: ToolManifest) -> String {
        guard case .executor(let id, _) = manifest.execution else { return "\(manifest.executorBackend) \(version)" }
        return "\(id) \(plugins.snapshot[id]?.file?.version ?? "unknown")"
    }

    private static func link(_ path: String) -> String {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &buffer, buffer.count)
        guard count > 0 else { return "unknown" }
        return String(decoding: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Has git asked about the caller's folder while the job runs.
    func readSource(of job: LiveJob) {
        let caller = JSONValue.object(job.provenance)["invocation"]?["caller"]
        guard let folder = caller?["cwd"]?.stringValue, folder.hasPrefix("/") else {
            job.source.set(GitFacts())
            return
        }
        if let known = facts.known(folder) {
            job.source.set(known)
        } else {
            Core.task { [self] in job.source.set(await facts.facts(of: folder)) }
        }
    }

    /// What can be written of a job's end before it ends; made once.
    func documents(of job: LiveJob) async -> JobDocuments {
        if let documents = job.documents { return documents }
        // Git has a time limit of its own per question; this is the bound of all of them together.
        let source = await job.source.wait(milliseconds: 5_000) ?? GitFacts()
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
        let documents = JobDocuments(provenance: document, plan: job.plan)
        job.documents = documents
        return documents
    }
}
