internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// Erases what an event is about.
    func redactAudit(
        _ request: Domed_V1_RedactAuditRequest, _ caller: Caller
    ) async -> Domed_V1_RedactAuditResponse {
        do throws(DomeError) {
            let seq = try await engine.redact(request.seq, why: request.why, caller: caller)
            return .with {
                $0.status = .ok()
                $0.seq = UInt64(clamping: seq)
            }
        } catch {
            return .with { $0.status = Domed_V1_RpcStatus(error) }
        }
    }
}
