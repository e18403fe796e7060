internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// What a job of a tool would get, before there is one.
    func explainSandbox(_ request: Domed_V1_ExplainSandboxRequest) async -> Domed_V1_ExplainSandboxResponse {
        do throws(DomeError) {
            let explanation = try await engine.explainSandbox(
                request.toolId, constraintsJSON: request.constraintsJson)
            return .with {
                $0.status = .ok()
                $0.admissible = explanation.isAdmissible
                $0.explanationJson = explanation.json.compact
            }
        } catch {
            return .with { $0.status = Domed_V1_RpcStatus(error) }
        }
    }
}
