internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// The most artifacts that go along with a job; ListArtifacts has all. That many of the longest names and paths fit
    /// into a message of the usual 4 MiB.
    static let artifactsAlongLimit = 1_000

    /// What a job left, a page at a time.
    func listArtifacts(_ request: Domed_V1_ListArtifactsRequest) async -> Domed_V1_ListArtifactsResponse {
        do throws(DomeError) {
            let page = try await engine.artifacts(
                of: try jobID(request.jobId), pageToken: request.pageToken,
                pageSize: Int(min(request.pageSize, UInt32(Self.artifactsAlongLimit))))
            return .with {
                $0.status = .ok()
                $0.artifacts = page.artifacts.map(Domed_V1_ArtifactRef.init)
                $0.nextPageToken = page.nextPageToken ?? ""
                $0.total = page.total
            }
        } catch {
            return .with { $0.status = Domed_V1_RpcStatus(error) }
        }
    }
}
