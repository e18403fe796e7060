internal import DomeAsync
package import DomeModel
internal import DomePlatform
internal import DomeStore

/// What jobs left, as clients ask for it.
extension Engine {
    /// A page of what a job left; nothing until it has ended. E_NOT_FOUND "job not found: ID".
    package func artifacts(
        of id: JobID, pageToken: String, pageSize: Int
    ) async throws(DomeError) -> ArtifactPageReport {
        guard let page = try await store.artifacts(of: id, pageToken: pageToken, pageSize: pageSize) else {
            throw Self.notFound(id)
        }
        return ArtifactPageReport(
            artifacts: reports(of: page.artifacts, id), nextPageToken: page.nextToken, total: page.total)
    }

    /// What a job left under a name, open and found to be what it was. E_NOT_FOUND for a job or a name that is not
    /// there, E_INTERNAL for a file that was changed.
    package func openArtifact(of id: JobID, named name: String) async throws(DomeError) -> KeptArtifact {
        guard let artifact = try await store.artifact(of: id, named: name) else {
            let record = try await job(id)
            throw DomeError(
                .notFound,
                "\(id) has no artifact '\(name.cut(toBytes: 256))'"
                    + (record.state.isTerminal
                        ? ": 'dome artifacts \(id)' lists those it has"
                        : " yet: what a job leaves is kept when it ends"))
        }
        let report = ArtifactReport(artifact, in: files.artifactsPath(id))
        let known = verifiedFiles
        return try await onArtifactsThread { () throws(DomeError) in try KeptArtifact(report, known) }.get()
    }

    /// At most `count` bytes of it from `offset` on.
    package func read(
        _ artifact: KeptArtifact, at offset: UInt64, count: Int
    ) async throws(DomeError) -> [UInt8] {
        try await onArtifactsThread { () throws(DomeError) in try artifact.read(at: offset, count: count) }.get()
    }
}

/// One page of what a job left.
package struct ArtifactPageReport: Sendable {
    package var artifacts: [ArtifactReport]
    package var nextPageToken: String?
    /// Of the job, not of the page.
    package var total: UInt64
}
