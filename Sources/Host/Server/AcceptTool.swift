internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// Lets a tool out of the quarantine that its pin has put it in.
    func acceptTool(_ request: Domed_V1_AcceptToolRequest, _ caller: Caller) async -> Domed_V1_AcceptToolResponse {
        do throws(DomeError) {
            let tool = try await engine.acceptTool(request.toolId, material: request.materialSha256, caller: caller)
            return .with {
                $0.status = .ok()
                $0.tool = Self.summary(tool)
            }
        } catch {
            return .with { $0.status = Domed_V1_RpcStatus(error) }
        }
    }
}
