internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// A job's provenance, signed.
    func exportProvenance(
        _ request: Domed_V1_ExportProvenanceRequest
    ) async -> Domed_V1_ExportProvenanceResponse {
        do throws(DomeError) {
            let envelope = try await engine.exportProvenance(of: try jobID(request.jobId))
            return .with {
                $0.status = .ok()
                $0.envelopeJson = envelope
            }
        } catch {
            return .with { $0.status = Domed_V1_RpcStatus(error) }
        }
    }
}
