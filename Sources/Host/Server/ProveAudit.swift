internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// A proof that an event is in the log.
    func proveAudit(
        _ request: Domed_V1_ProveAuditRequest
    ) async -> Domed_V1_ProveAuditResponse {
        do throws(DomeError) {
            let proof = try await engine.auditProof(of: request.seq)
            return .with {
                $0.status = .ok()
                $0.proof = proof
            }
        } catch {
            return .with { $0.status = Domed_V1_RpcStatus(error) }
        }
    }
}
