import DomeClient
import DomeModel

// What `-o json` prints. Member names are the contract's field names; documents that travel as text are embedded.

extension JSONValue {
    /// A document that travelled as text; the text itself if it is none, null if there is none.
    static func embedded(_ text: String) -> JSONValue {
        guard !text.isEmpty else { return .null }
        return (try? JSONParser.parse(text, what: "document")) ?? .string(text)
    }

    /// Null for an empty text.
    static func optional(_ text: String) -> JSONValue { text.isEmpty ? .null : .string(text) }
    static func optional(_ number: Int32?) -> JSONValue { number.map { .integer(Int64($0)) } ?? .null }
}

extension ToolSummary {
    var json: JSONValue {
        [
            "tool_id": .string(toolID), "version": .string(version), "title": .string(title),
            "short_description": .string(shortDescription), "kind": .string(kind),
            "unavailable": .optional(unavailable), "deprecated": .optional(deprecated),
            "versions": .array(versions.map { .string($0) }),
        ]
    }
}

extension ToolDetail {
    var json: JSONValue {
        [
            "tool_id": .string(summary.toolID), "version": .string(summary.version), "title": .string(summary.title),
            "short_description": .string(summary.shortDescription), "description": .string(description),
            "kind": .string(summary.kind), "executor_backend": .string(executorBackend),
            "permissions": .array(permissions.map { .string($0) }),
            "side_effects": .array(sideEffects.map { .string($0) }), "input_schema_ref": .optional(inputSchemaRef),
            "output_schema_ref": .optional(outputSchemaRef), "input_schema": .embedded(inputSchemaJSON),
            "output_schema": .embedded(outputSchemaJSON), "manifest": .embedded(manifestJSON),
            "unavailable": .optional(summary.unavailable), "deprecated": .optional(summary.deprecated),
            "versions": .array(summary.versions.map { .string($0) }),
            "differences": .array(differences.map { .string($0) }), "material_sha256": .string(materialSHA256),
        ]
    }
}

extension Admission {
    var json: JSONValue {
        [
            "job_id": .string(jobID), "run_id": .string(runID), "state": .string(state?.name ?? "unknown"),
            "replayed": .bool(wasReplayed), "message": .string(message),
        ]
    }
}

extension JobSummary {
    var json: JSONValue { .object(jsonObject) }

    var jsonObject: JSONObject {
        [
            "job_id": .string(jobID), "run_id": .string(runID), "tool_id": .string(toolID),
            "profile": .string(profile), "state": .string(state?.name ?? "unknown"), "created_at": .optional(createdAt),
            "started_at": .optional(startedAt), "ended_at": .optional(endedAt), "exit_code": .optional(exitCode),
            "message": .string(message), "last_seq": .count(lastSeq),
        ]
    }
}

extension Artifact {
    var json: JSONValue {
        [
            "kind": .string(kind), "path": .string(path), "name": .string(name), "sha256": .string(sha256),
            "bytes": .count(byteCount), "cid": .optional(contentID),
        ]
    }
}

extension JobDetail {
    var json: JSONValue {
        var object = summary.jsonObject
        object["signal"] = .optional(signal)
        object["reason"] = .string(reason)
        object["artifacts"] = .array(artifacts.map(\.json))
        object["provenance"] = [
            "repo": .string(provenance.repo), "commit_sha": .string(provenance.commitSHA),
            "dirty_flag": .bool(provenance.isDirty), "contract_hashes": .embedded(provenance.contractHashesJSON),
            "tool_versions": .embedded(provenance.toolVersionsJSON), "input_hash": .string(provenance.inputHash),
            "env_fingerprint": .embedded(provenance.environmentFingerprint),
        ]
        object["provenance_document"] = .embedded(provenanceJSON)
        object["enforcement"] = .embedded(enforcementJSON)
        object["resources"] = .embedded(resourcesJSON)
        object["result"] = .embedded(resultJSON)
        return .object(object)
    }
}

extension DaemonStatus {
    var json: JSONValue {
        [
            "server_version": .string(serverVersion), "min_supported_version": .string(minSupportedVersion),
            "current_version": .string(currentVersion), "recommended_version": .string(recommendedVersion),
            "pid": .integer(Int64(pid)), "started_at": .string(startedAt), "uptime_ms": .count(uptimeMilliseconds),
            "endpoint": .string(endpoint), "state_directory": .string(stateDirectory),
            "jobs_queued": .integer(Int64(jobsQueued)), "jobs_running": .integer(Int64(jobsRunning)),
            "keepers": .array(
                keepers.map { keeper in
                    [
                        "pid": .integer(Int64(keeper.pid)), "generation": .count(keeper.generation),
                        "jobs": .integer(Int64(keeper.jobs)), "version": .string(keeper.version),
                    ]
                }),
            "sandbox_ok": .bool(isSandboxWhole), "sandbox_report": .embedded(sandboxReportJSON),
            "problems": .array(problems.map { .string($0) }),
        ]
    }
}
