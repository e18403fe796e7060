internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// Signs with a new key from now on.
    func rotateKey(
        _ request: Domed_V1_RotateKeyRequest, _ caller: Caller
    ) async -> Domed_V1_RotateKeyResponse {
        do throws(DomeError) {
            let key = try await engine.rotateKey(caller: caller)
            return .with {
                $0.status = .ok()
                $0.key = Self.message(key)
            }
        } catch {
            return .with { $0.status = Domed_V1_RpcStatus(error) }
        }
    }
}
