internal import DomeAsync
internal import DomeModel
internal import DomeProto
internal import DomeWire

// What jobs left.
extension DaemonClient {
    /// All that a job left, however much it is.
    package func artifacts(of jobID: String) async throws(ClientError) -> [Artifact] {
        var artifacts: [Artifact] = []
        var token = ""
        repeat {
            let reply = try await call(
                Domed_V1_DomedService.listArtifacts,
                .with {
                    $0.jobId = jobID
                    $0.pageToken = token
                })
            try Self.check(reply.status)
            artifacts += reply.artifacts.map(Artifact.init)
            token = reply.nextPageToken
        } while !token.isEmpty
        return artifacts
    }

    /// What ReadArtifact sends; `ArtifactReader` makes a file of it. A few pieces of 256 KiB wait at most.
    func artifactPieces(
        _ jobID: String, _ name: String, offset: UInt64, length: UInt64
    ) async throws(ClientError) -> ResponseStream<ArtifactPiece> {
        ResponseStream(
            try await usableConnection(), metadata, Domed_V1_DomedService.readArtifact,
            .with { request in
                request.jobId = jobID
                request.name = name
                request.offset = offset
                request.length = length
            }, highWater: 8, read: ArtifactPiece.init)
    }
}
