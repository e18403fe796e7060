internal import DomeAsync
internal import DomeProto
internal import DomeTransport

// grpc.health.v1.Health, for clients and supervisors that know nothing of dome. The daemon serves all of its services
// or none: by the time it accepts calls it has recovered, and when it leaves it stops accepting them.
extension DomedService {
    private static let servedServices: Set<String> = [
        "", Domed_V1_DomedService.name, Grpc_Health_V1_Health.name, Grpc_Reflection_V1_ServerReflection.name,
        Grpc_Reflection_V1alpha_ServerReflection.name,
    ]

    /// One answer; an unknown service is gRPC NOT_FOUND, as health.proto says.
    func checkHealth(_ request: Grpc_Health_V1_HealthCheckRequest, _ call: ServerCall) {
        guard Self.servedServices.contains(request.service) else {
            return call.finish(GRPCStatus(.notFound, "unknown service \(request.service.prefix(128))"))
        }
        call.answer(Grpc_Health_V1_HealthCheckResponse.with { $0.status = .serving })
    }

    /// The status now; the stream then stands until client or daemon goes, since the status never changes before.
    func watchHealth(_ request: Grpc_Health_V1_HealthCheckRequest, _ call: ServerCall) {
        let isKnown = Self.servedServices.contains(request.service)
        let response = Grpc_Health_V1_HealthCheckResponse.with { $0.status = isKnown ? .serving : .serviceUnknown }
        response.serialized().withUnsafeBytes { call.send(message: $0) }
    }
}
