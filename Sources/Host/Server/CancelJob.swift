internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// Asks for a job's end.
    func cancelJob(_ request: Domed_V1_CancelJobRequest, _ caller: Caller) async -> Domed_V1_CancelJobResponse {
        do throws(DomeError) {
            let report = try await engine.cancel(try jobID(request.jobId), caller: caller)
            return .with {
                $0.status = .ok(report.state.isTerminal ? "canceled" : "cancel requested")
                $0.jobId = report.jobID.text
                $0.state = Domed_V1_JobState(report.state)
            }
        } catch {
            return .with {
                $0.status = Domed_V1_RpcStatus(error)
                $0.jobId = request.jobId
            }
        }
    }
}
