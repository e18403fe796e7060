internal import DomeAsync
internal import DomeCatalog
internal import DomeCrypto
package import DomeModel
internal import DomePlatform
internal import DomeStore

/// What came of running a job once more.
package struct RerunOutcome: Sendable {
    /// The new job; nil when it was refused because something has changed.
    package var report: JobReport?
    /// What has changed since, a sentence each.
    package var drifts: [String]
    package var refusal: DomeError?
}

extension Engine {
    /// A job's provenance as a signed statement: a DSSE envelope as JSON. E_INVALID_TRANSITION while the job runs.
    package func exportProvenance(of id: JobID) async throws(DomeError) -> String {
        let report = try await job(id)
        guard report.state.isTerminal else {
            throw DomeError(.invalidTransition, "\(id) has not ended yet; what it made is known when it has")
        }
        let statement = ProvenanceStatement(report: report, version: version).document()
        let envelope = try DSSEEnvelope(
            payloadType: DSSEEnvelope.inTotoType, payload: statement.canonical, by: await keys.signer)
        return envelope.document.indented
    }

    /// Submits a job's request once more, under a key of its own. With `isExact` only if nothing of what is known to
    /// matter has changed since: tool, schemas, executor, program, policy, machine, daemon.
    package func rerun(
        _ id: JobID, isExact: Bool, key: String, caller: Caller
    ) async throws(DomeError) -> RerunOutcome {
        guard let detail = try await store.detail(id) else { throw DomeError(.notFound, "job not found: \(id)") }
        guard detail.taskJSON != "null" else {
            throw DomeError(.invalidTransition, "the task of \(id) was redacted; it cannot be run again")
        }
        var constraints = try Constraints(parsing: detail.constraintsJSON).document
        constraints["wait_ms"] = 0
        let request = SubmitRequest(
            skillID: detail.record.toolID, profile: detail.record.profile, idempotencyKey: key,
            taskJSON: detail.taskJSON,
            constraintsJSON: JSONValue.object(constraints).compact, caller: caller)
        let drifts = try await drifts(
            since: try JSONParser.parse(detail.provenanceJSON, what: "provenance of \(id)"), request)
        guard !isExact || drifts.isEmpty else {
            let error = DomeError(
                .invalidTransition,
                "\(id) cannot be repeated exactly: " + drifts.joined(separator: "; ")
                    + ". Without --exact it is run as "
                    + "things are now")
            return RerunOutcome(report: nil, drifts: drifts, refusal: error)
        }
        return RerunOutcome(report: try await submit(request).report, drifts: drifts)
    }

    private func drifts(since old: JSONValue, _ request: SubmitRequest) async throws(DomeError) -> [String] {
        let now = try await currentMaterials(request, old)
        var drifts: [String] = []
        for (name, value) in now {
            let before = old[name.first ?? ""].flatMap { name.count > 1 ? $0[name[1]] : $0 }
            guard let before, before != value else { continue }
            // What was not known then cannot be said to have changed.
            guard before != "unknown", before != "none" || value != "unknown" else { continue }
            drifts.append("\(name.joined(separator: " ")) was \(Self.short(before)) and is \(Self.short(value))")
        }
        return drifts
    }

    /// Where in the provenance document it stands, and what it is now.
    private func currentMaterials(
        _ request: SubmitRequest, _ old: JSONValue
    ) async throws(DomeError) -> [([String], JSONValue)] {
        let tool = try await currentTool(request.skillID)
        let hashes = Self.contractHashes(tool)
        var found: [([String], JSONValue)] = hashes.members.map { (["contract_hashes", $0.key], $0.value) }
        found.append((["executor"], .string(executorVersion(tool.manifest))))
        found.append((["executor_library_sha256"], .string(executorLibrary(tool))))
        _ = try await currentPolicy()
        found.append((["policy_sha256"], .string(policy.digest)))
        found.append((["env_sha256"], .string(await hostFacts.wait().sha256)))
        found.append((["tool_versions", "domed"], .string(version)))
        if let path = old["program"]?["path"]?.stringValue {
            found.append((["program"], await programFacts(path).document))
        }
        return found
    }

    private static func short(_ value: JSONValue) -> String {
        let text = value["sha256"]?.stringValue ?? value.stringValue ?? value.compact
        return text.utf8.count > 24 ? text.prefix(12) + "…" : text
    }
}
