internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomePlatform
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// Answers at once; asks nobody. The message is empty unless the audit log is in trouble.
    func health(_ request: Domed_V1_HealthRequest) -> Domed_V1_HealthResponse {
        .with {
            // It serves, whatever else is wrong; what is wrong with the record of it, whoever asks shall know.
            $0.status = .ok(engine.auditProblems.joined(separator: "; "))
            $0.ts = Timestamp.format(nanoseconds: Clock.wallNanoseconds())
            $0.daemonVersion = identity.version
        }
    }
}
