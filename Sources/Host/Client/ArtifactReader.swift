package import DomeAsync
internal import DomeModel
internal import DomeProto

/// The bytes of what a job left, or of a range of them, across lost connections and daemon restarts: no gap, no repeat.
/// The daemon has found the whole file to be the record's before it sends a byte.
@Core
package final class ArtifactReader {
    package let artifact: Artifact
    private let client: DaemonClient
    private let jobID: String
    private var messages: ResponseStream<ArtifactPiece>?
    private var waiting: [UInt8]
    /// The next byte that is wanted, and the one past the last.
    private var offset: UInt64
    private let end: UInt64

    /// - Parameter length: 0 means all that follow. `.refused`: E_NOT_FOUND for a job or a name that is not there,
    ///   E_INVALID_REQUEST for an offset past the end, E_INTERNAL for a file that was changed.
    package init(
        _ client: DaemonClient, _ jobID: String, _ name: String, offset: UInt64 = 0, length: UInt64 = 0
    ) async throws(ClientError) {
        (self.client, self.jobID, self.offset) = (client, jobID, offset)
        let messages = try await client.artifactPieces(jobID, name, offset: offset, length: length)
        let first = try await messages.next() ?? []
        guard let artifact = first.first?.artifact else { throw Self.nameless }
        (self.artifact, self.messages) = (artifact, messages)
        waiting = first.flatMap(\.data)
        let rest = artifact.byteCount - min(offset, artifact.byteCount)
        end = offset + (length == 0 ? rest : min(rest, length))
    }

    /// The next bytes; nil at the end of the range.
    package func next() async throws(ClientError) -> [UInt8]? {
        var patience = Patience()
        while offset < end {
            do throws(ClientError) {
                let bytes = try await advance()
                if !bytes.isEmpty { return bytes }
            } catch {
                messages = nil
                try await patience.wait(after: error, hadConnection: true)
            }
        }
        return nil
    }

    private func advance() async throws(ClientError) -> [UInt8] {
        var bytes = waiting
        waiting = []
        if bytes.isEmpty {
            if messages == nil {
                messages = try await client.artifactPieces(
                    jobID, artifact.name, offset: offset, length: end - offset)
            }
            guard let batch = try await messages?.next() else {
                throw .protocolBroken("'\(artifact.name)' ended \(end - offset) bytes too early")
            }
            if let again = batch.first?.artifact, again.sha256 != artifact.sha256 {
                throw .protocolBroken("'\(artifact.name)' is another file than before")
            }
            bytes = batch.flatMap(\.data)
        }
        guard UInt64(bytes.count) <= end - offset else {
            throw .protocolBroken("'\(artifact.name)' goes on after its end")
        }
        offset += UInt64(bytes.count)
        return bytes
    }

    private static var nameless: ClientError {
        .protocolBroken("the reply to ReadArtifact does not say which file it is")
    }
}

/// A message of ReadArtifact.
struct ArtifactPiece: Sendable {
    /// In the first one.
    var artifact: Artifact?
    var data: [UInt8]

    /// Nil for bytes that are no such message.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard let message = try? Domed_V1_ReadArtifactResponse.decode(bytes) else { return nil }
        artifact = message.artifact.map(Artifact.init)
        data = message.data
    }
}
