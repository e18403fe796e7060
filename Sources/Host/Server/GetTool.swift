internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// One tool's descriptor.
    func getTool(_ request: Domed_V1_GetToolRequest) async -> Domed_V1_GetToolResponse {
        do throws(DomeError) {
            let tool = try await engine.tool(request.toolId)
            return .with {
                $0.status = .ok()
                $0.tool = .with {
                    $0.toolId = tool.toolID
                    $0.version = tool.version
                    $0.description_ = tool.description
                    $0.inputSchemaRef = tool.inputSchemaPath
                    $0.outputSchemaRef = tool.outputSchemaPath
                    $0.executorBackend = tool.executor
                    $0.title = tool.title
                    $0.shortDescription = tool.shortDescription
                    $0.kind = tool.kind
                    $0.permissions = tool.permissions
                    $0.sideEffects = tool.sideEffects
                    $0.unavailable = tool.unavailable
                    $0.deprecated = tool.deprecated
                    $0.versions = tool.versions
                    $0.differences = tool.differences
                    $0.materialSha256 = tool.materialSHA256
                }
            }
        } catch {
            return .with { $0.status = Domed_V1_RpcStatus(error) }
        }
    }
}
