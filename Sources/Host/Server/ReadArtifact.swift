internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomeProto
internal import DomeTransport
internal import DomeWire

extension DomedService {
    /// The bytes of a file that a job left, or a range of them, as fast as the client takes them.
    func readArtifact(_ request: Domed_V1_ReadArtifactRequest, _ call: ServerCall) {
        ArtifactSender(self, call, request).start()
    }
}

/// One client that reads an artifact at its own pace.
@Core
final class ArtifactSender: OpenStream {
    /// A message's data; whole messages fit the limit that clients have unless told otherwise (4 MiB) many times.
    private static let pieceBytes = 256 << 10

    private let request: Domed_V1_ReadArtifactRequest
    private var file: KeptArtifact?
    /// What is left to be sent.
    private var range: Range<UInt64> = 0..<0
    private var isReading = false

    init(_ service: DomedService, _ call: ServerCall, _ request: Domed_V1_ReadArtifactRequest) {
        self.request = request
        super.init(service, call)
    }

    func start() {
        open()
        isReading = true
        Core.task { [self] in
            do throws(DomeError) { try await openFile() } catch {
                return finish(DomedService.artifactStatus(of: error))
            }
            isReading = false
            advance()
        }
    }

    override var farewell: String { "the daemon is leaving; go on from the next byte" }

    private func openFile() async throws(DomeError) {
        guard !request.name.isEmpty else {
            throw DomeError(.invalidRequest, "name must not be empty: ListArtifacts has the names")
        }
        let file = try await service.engine.openArtifact(of: try jobID(request.jobId), named: request.name)
        let size = file.report.byteCount
        guard !isEnded else { return }
        guard request.offset <= size else {
            return finish(
                GRPCStatus(.outOfRange, "offset \(request.offset) is past the end: '\(request.name)' has \(size) bytes")
            )
        }
        let most = size - request.offset
        range = request.offset..<request.offset + (request.length == 0 ? most : min(most, request.length))
        self.file = file
        send(Domed_V1_ReadArtifactResponse.with { $0.artifact = Domed_V1_ArtifactRef(file.report) })
    }

    override func advance() {
        guard let file, !isEnded, !isReading, call.canSend else { return }
        guard !range.isEmpty else { return finish(.ok) }
        isReading = true
        Core.task { [self] in
            do throws(DomeError) {
                let count = Int(min(UInt64(Self.pieceBytes), UInt64(range.count)))
                let bytes = try await service.engine.read(file, at: range.lowerBound, count: count)
                isReading = false
                guard !isEnded else { return }
                range = range.lowerBound + UInt64(bytes.count)..<range.upperBound
                send(Domed_V1_ReadArtifactResponse.with { $0.data = bytes })
                advance()
            } catch {
                finish(DomedService.artifactStatus(of: error))
            }
        }
    }
}

extension DomedService {
    /// A copy that is gone or another one is lost, whatever else may be wrong with the daemon.
    fileprivate static func artifactStatus(of error: DomeError) -> GRPCStatus {
        error.code == .internal ? GRPCStatus(.dataLoss, error.message) : status(of: error)
    }
}
