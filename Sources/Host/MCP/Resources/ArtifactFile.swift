internal import DomeAsync
internal import DomeClient
internal import DomeModel

/// A file that a job left, as the daemon hands it out: it has found the bytes to be those of the record.
@Core
struct ArtifactFile {
    /// Larger images are read in pieces, as bytes: no client shows them.
    static let imageLimitBytes = 4 << 20

    let artifact: Artifact
    private let client: DaemonClient
    private let jobID: String

    /// Finds the artifact.
    static func open(_ client: DaemonClient, _ jobID: String, _ name: String) async throws(ToolFailure) -> ArtifactFile
    {
        let reader = try await reading(client, jobID) { () async throws(ClientError) in
            try await ArtifactReader(client, jobID, name, length: 1)
        }
        return ArtifactFile(artifact: reader.artifact, client: client, jobID: jobID)
    }

    /// At most `count` bytes from `offset` on.
    func read(at offset: UInt64, count: Int) async throws(ToolFailure) -> [UInt8] {
        guard offset < artifact.byteCount, count > 0 else { return [] }
        return try await Self.reading(client, jobID) { () async throws(ClientError) in
            let reader = try await ArtifactReader(
                client, jobID, artifact.name, offset: offset, length: UInt64(count))
            var bytes: [UInt8] = []
            while let piece = try await reader.next() { bytes += piece }
            return bytes
        }
    }

    /// The media type of an image that clients show, by the file's first bytes; nil for anything else.
    func imageType() async throws(ToolFailure) -> String? {
        guard artifact.byteCount <= UInt64(Self.imageLimitBytes) else { return nil }
        let start = try await read(at: 0, count: 12)
        if start.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) { return "image/png" }
        if start.starts(with: [0xff, 0xd8, 0xff]) { return "image/jpeg" }
        if start.starts(with: Array("GIF8".utf8)) { return "image/gif" }
        if start.starts(with: Array("RIFF".utf8)), start.suffix(4) == Array("WEBP".utf8)[...] { return "image/webp" }
        return nil
    }

    /// Asks the daemon; what it refuses comes with what to do about it.
    private static func reading<Value: Sendable>(
        _ client: DaemonClient, _ jobID: String, _ body: @Core () async throws(ClientError) -> Value
    ) async throws(ToolFailure) -> Value {
        do throws(ClientError) {
            return try await body()
        } catch {
            guard case .refused(let refusal) = error else { throw ToolFailure(error) }
            switch refusal.code {
            case .internal:
                throw ToolFailure(
                    code: refusal.code.name, message: refusal.message,
                    hint: "Do not rely on this file; run the job again.")
            case .notFound:
                let names = try? await client.artifacts(of: jobID).prefix(20).map(\.name).joined(separator: ", ")
                guard let names else { throw ToolFailure(error) }
                throw ToolFailure(
                    code: refusal.code.name, message: refusal.message,
                    hint: names.isEmpty
                        ? "It has none at all: a job leaves files in /job/out, and they are there once it ended."
                        : "It has: \(names).")
            default: throw ToolFailure(error)
            }
        }
    }
}
