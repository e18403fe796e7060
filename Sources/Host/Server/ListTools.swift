internal import DomeAsync
internal import DomeEngine
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// All tools, by id.
    func listTools(_ request: Domed_V1_ListToolsRequest) async -> Domed_V1_ListToolsResponse {
        let tools = await engine.tools()
        return .with {
            $0.status = .ok()
            $0.tools = tools.map { tool in
                .with {
                    $0.toolId = tool.toolID
                    $0.version = tool.version
                    $0.title = tool.title
                    $0.shortDescription = tool.shortDescription
                    $0.kind = tool.kind
                    $0.unavailable = tool.unavailable
                }
            }
        }
    }
}
