internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// Where a job stands, with its provenance.
    func getJobStatus(_ request: Domed_V1_GetJobStatusRequest) async -> Domed_V1_GetJobStatusResponse {
        do throws(DomeError) {
            let report = try await engine.job(try jobID(request.jobId))
            return .with {
                $0.status = .ok()
                $0.runId = report.jobID.runID
                $0.jobId = report.jobID.text
                $0.state = Domed_V1_JobState(report.state)
                $0.artifacts = report.artifacts.prefix(Self.artifactsAlongLimit).map(Domed_V1_ArtifactRef.init)
                $0.artifactCount = UInt64(report.artifacts.count)
                $0.provenance = Self.provenance(report.provenance)
                $0.toolId = report.toolID
                $0.profile = report.profile
                $0.createdAt = timestamp(report.createdNanoseconds)
                $0.startedAt = timestamp(report.startedNanoseconds)
                $0.endedAt = timestamp(report.endedNanoseconds)
                $0.exitCode = report.exitCode
                $0.signal = report.signal
                $0.message = report.message
                $0.lastSeq = report.lastSeq
                $0.reason = report.reason
                $0.enforcementJson = report.enforcementJSON
                $0.resourcesJson = report.resourcesJSON
                $0.provenanceJson = report.provenance.compact
                $0.resultJson = report.resultJSON
            }
        } catch {
            return .with { $0.status = Domed_V1_RpcStatus(error) }
        }
    }

    /// The contract's seven fields, out of the whole document.
    private static func provenance(_ document: JSONValue) -> Domed_V1_RunProvenance {
        func text(_ key: String) -> String { document[key]?.stringValue ?? "unknown" }
        func object(_ key: String) -> String { document[key]?.compact ?? "{}" }
        return .with {
            $0.repo = text("repo")
            $0.commitSha = text("commit_sha")
            $0.dirtyFlag = document["dirty_flag"]?.boolValue ?? false
            $0.contractHashesJson = object("contract_hashes")
            $0.toolVersionsJson = object("tool_versions")
            $0.inputHash = text("input_hash")
            $0.envFingerprint = object("env_fingerprint")
        }
    }
}
