internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomePlatform
internal import DomeProto
package import DomeTransport

// Which handler answers which method. A handler that needs no waiting answers within the turn in which its request
// came; one that waits runs as a task on the core.
extension DomedService {
    /// The table that the transport serves.
    package func methodTable() -> MethodTable {
        typealias Service = Domed_V1_DomedService
        var table = MethodTable()
        table.immediate(Service.health, health)
        table.immediate(Service.listCapabilities, listCapabilities)
        table.waiting(Service.listTools) { [self] request, _ in await listTools(request) }
        table.waiting(Service.getTool) { [self] request, _ in await getTool(request) }
        table.waiting(Service.acceptTool) { [self] request, call in await acceptTool(request, Self.caller(call)) }
        table.waiting(Service.getToolSchema) { [self] request, _ in await getToolSchema(request) }
        table.waiting(Service.explainSandbox) { [self] request, _ in await explainSandbox(request) }
        table.immediate(Service.getGateDecision, getGateDecision)
        table.immediate(Service.getPromotionDecision, getPromotionDecision)
        table.immediate(Service.getStatus, getStatus)
        table.waiting(Service.getJobStatus) { [self] request, _ in await getJobStatus(request) }
        table.waiting(Service.listJobs) { [self] request, _ in await listJobs(request) }
        table.waiting(Service.listArtifacts) { [self] request, _ in await listArtifacts(request) }
        table.streaming(Service.readArtifact) { [self] request, call in readArtifact(request, call) }
        table.waiting(Service.listPlugins) { [self] request, _ in await listPlugins(request) }
        table.waiting(Service.collectGarbage) { [self] request, _ in await collectGarbage(request) }
        table.waiting(Service.skillExecute) { [self] request, call in
            await skillExecute(request, Self.caller(call), traceparent: Self.traceparent(call))
        }
        table.waiting(Service.cancelJob) { [self] request, call in await cancelJob(request, Self.caller(call)) }
        table.waiting(Service.summarizeAudit) { [self] request, _ in await summarizeAudit(request) }
        table.waiting(Service.proveAudit) { [self] request, _ in await proveAudit(request) }
        table.waiting(Service.redactAudit) { [self] request, call in await redactAudit(request, Self.caller(call)) }
        table.waiting(Service.listKeys) { [self] request, _ in await listKeys(request) }
        table.waiting(Service.rotateKey) { [self] request, call in await rotateKey(request, Self.caller(call)) }
        table.waiting(Service.exportProvenance) { [self] request, _ in await exportProvenance(request) }
        table.waiting(Service.rerunJob) { [self] request, call in await rerunJob(request, Self.caller(call)) }
        table.streaming(Service.queryAudit) { [self] request, call in queryAudit(request, call) }
        table.streaming(Service.watchTools) { [self] request, call in watchTools(request, call) }
        table.streaming(Service.verifyAudit) { [self] request, call in verifyAudit(request, call) }
        table.streaming(Service.streamJobEvents) { [self] request, call in streamJobEvents(request, call) }
        table.streaming(Grpc_Health_V1_Health.check) { [self] request, call in checkHealth(request, call) }
        table.streaming(Grpc_Health_V1_Health.watch) { [self] request, call in watchHealth(request, call) }
        let reflection = ReflectionService()
        for path in [
            Grpc_Reflection_V1_ServerReflection.serverReflectionInfo.path,
            Grpc_Reflection_V1alpha_ServerReflection.serverReflectionInfo.path,
        ] {
            table.add(path, .bidirectional { call in Core.assumeIsolated { reflection.serve(call) } })
        }
        return table
    }

    /// W3C Trace Context, as it came; one that came twice is none.
    private static func traceparent(_ call: ServerCall) -> String? {
        let found = call.metadata().entries.filter { $0.name == "traceparent" }
        return found.count == 1 ? found.first.map { String(decoding: $0.value, as: UTF8.self) } : nil
    }

    /// Who is at the other end. Over TCP the kernel does not say: the pid is 0 then, and the uid nobody's.
    private static func caller(_ call: ServerCall) -> Caller {
        Caller(userID: call.peer?.userID ?? .max, processID: call.peer?.processID ?? 0)
    }
}

extension MethodTable {
    mutating func immediate<Request, Response>(
        _ method: ProtoMethod<Request, Response>, _ body: @escaping @Core (Request) -> Response
    ) {
        add(
            method.path,
            .unary { call, bytes in
                guard let request = call.decode(Request.self, bytes) else { return }
                Core.assumeIsolated { call.answer(body(request)) }
            })
    }

    mutating func waiting<Request, Response>(
        _ method: ProtoMethod<Request, Response>, _ body: @escaping @Core (Request, ServerCall) async -> Response
    ) {
        add(
            method.path,
            .unary { call, bytes in
                guard let request = call.decode(Request.self, bytes) else { return }
                Core.assumeIsolated {
                    Core.immediateTask { call.answer(await body(request, call)) }
                }
            })
    }

    /// A handler that ends the call itself: a stream, or a unary call whose failures are gRPC codes.
    mutating func streaming<Request, Response>(
        _ method: ProtoMethod<Request, Response>, _ body: @escaping @Core (Request, ServerCall) -> Void
    ) {
        let serve: (ServerCall, UnsafeRawBufferPointer) -> Void = { call, bytes in
            guard let request = call.decode(Request.self, bytes) else { return }
            Core.assumeIsolated { body(request, call) }
        }
        add(method.path, method.descriptor.serverStreaming ? .serverStreaming(serve) : .unary(serve))
    }
}

extension ServerCall {
    /// The request, or nil after the call was ended with INVALID_ARGUMENT.
    fileprivate func decode<Request: ProtoMessage>(_ type: Request.Type, _ bytes: UnsafeRawBufferPointer) -> Request? {
        do throws(ProtoError) {
            return try Request.decode(bytes)
        } catch {
            finish(GRPCStatus(.invalidArgument, "the request is not a valid \(Request.protoName): \(error)"))
            return nil
        }
    }

    func answer<Response: ProtoMessage>(_ response: Response) {
        let bytes = response.serialized()
        bytes.withUnsafeBytes { send(message: $0) }
        finish()
    }
}
