internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// Tools by id, or those that fit a question, the best first; in one page or many.
    func listTools(_ request: Domed_V1_ListToolsRequest) async -> Domed_V1_ListToolsResponse {
        do throws(DomeError) {
            guard request.query.utf8.count <= 4_096 else {
                throw DomeError(.invalidRequest, "query: a question may have 4096 bytes")
            }
            let page = try await engine.tools(
                query: request.query, pageSize: Int(min(request.pageSize, 100_000)), pageToken: request.pageToken)
            return .with {
                $0.status = .ok()
                $0.tools = page.tools.map(Self.summary)
                $0.nextPageToken = page.nextPageToken ?? ""
                $0.total = UInt32(clamping: page.total)
            }
        } catch {
            return .with { $0.status = Domed_V1_RpcStatus(error) }
        }
    }

    static func summary(_ tool: ToolReport) -> Domed_V1_ToolSummary {
        .with {
            $0.toolId = tool.toolID
            $0.version = tool.version
            $0.title = tool.title
            $0.shortDescription = tool.shortDescription
            $0.kind = tool.kind
            $0.unavailable = tool.unavailable
            $0.deprecated = tool.deprecated
            $0.versions = tool.versions
        }
    }
}
