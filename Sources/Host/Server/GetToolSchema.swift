internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// A tool's schema documents themselves, and its manifest.
    func getToolSchema(_ request: Domed_V1_GetToolSchemaRequest) async -> Domed_V1_GetToolSchemaResponse {
        do throws(DomeError) {
            let tool = try await engine.tool(request.toolId)
            return .with {
                $0.status = .ok()
                $0.inputSchemaJson = tool.inputSchemaJSON
                $0.outputSchemaJson = tool.outputSchemaJSON
                $0.manifestJson = tool.manifestJSON
                $0.unavailable = tool.unavailable
            }
        } catch {
            return .with { $0.status = Domed_V1_RpcStatus(error) }
        }
    }
}
