internal import DomeAsync
internal import DomeModel
internal import DomeProto
internal import DomeWire

// GetGateDecision and GetPromotionDecision: there are no gates yet, so there is no decision to be found.
extension DomedService {
    func getGateDecision(_ request: Domed_V1_GetGateDecisionRequest) -> Domed_V1_GetGateDecisionResponse {
        .with {
            $0.status = Domed_V1_RpcStatus(noDecision("gate", request.runId))
            $0.runId = request.runId
        }
    }

    func getPromotionDecision(
        _ request: Domed_V1_GetPromotionDecisionRequest
    ) -> Domed_V1_GetPromotionDecisionResponse {
        .with {
            $0.status = Domed_V1_RpcStatus(noDecision("promotion", request.runId))
            $0.runId = request.runId
        }
    }

    private func noDecision(_ kind: String, _ runID: String) -> DomeError {
        guard !runID.isEmpty else { return DomeError(.invalidRequest, "run_id must not be empty") }
        return DomeError(.notFound, "\(kind) decision not found: \(runID.prefix(128))")
    }
}
