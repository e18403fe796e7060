internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// The public keys, the oldest first.
    func listKeys(_ request: Domed_V1_ListKeysRequest) async -> Domed_V1_ListKeysResponse {
        let keys = await engine.publicKeys()
        return .with {
            $0.status = .ok()
            $0.keys = keys.map(Self.message)
        }
    }

    static func message(_ key: PublicKeyReport) -> Domed_V1_PublicKey {
        .with {
            $0.verifier = key.verifier
            $0.pem = key.pem
            $0.current = key.isCurrent
        }
    }
}
