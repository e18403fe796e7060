internal import DomeAsync
internal import DomeModel
internal import DomePlatform
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// Answers at once; asks nobody.
    func health(_ request: Domed_V1_HealthRequest) -> Domed_V1_HealthResponse {
        .with {
            $0.status = .ok()
            $0.ts = Timestamp.format(nanoseconds: Clock.wallNanoseconds())
            $0.daemonVersion = identity.version
        }
    }
}
