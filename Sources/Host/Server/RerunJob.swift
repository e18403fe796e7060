internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// Runs a job's request once more.
    func rerunJob(_ request: Domed_V1_RerunJobRequest, _ caller: Caller) async -> Domed_V1_RerunJobResponse {
        do throws(DomeError) {
            let outcome = try await engine.rerun(
                try jobID(request.jobId), isExact: request.exact, key: request.idempotencyKey, caller: caller)
            return .with {
                $0.status = outcome.refusal.map { Domed_V1_RpcStatus($0) } ?? .ok()
                $0.jobId = outcome.report?.jobID.text ?? ""
                $0.runId = outcome.report?.jobID.runID ?? ""
                $0.state = outcome.report.map { Domed_V1_JobState($0.state) } ?? .unspecified
                $0.drifts = outcome.drifts
            }
        } catch {
            return .with { $0.status = Domed_V1_RpcStatus(error) }
        }
    }
}
