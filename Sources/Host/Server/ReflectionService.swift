internal import DomeAsync
internal import DomeModel
internal import DomePlatform
internal import DomeProto
internal import DomeTransport

/// grpc.reflection.v1 and v1alpha: what grpcurl and the like ask before they can call anything. The two versions
/// differ in their package's name only, so one implementation answers both.
@Core
final class ReflectionService {
    private typealias Request = Grpc_Reflection_V1_ServerReflectionRequest
    private typealias Response = Grpc_Reflection_V1_ServerReflectionResponse

    /// Made on first use: most daemons are never asked.
    private lazy var registry: ProtoFileRegistry? = {
        do throws(ProtoError) { return try ProtoFileRegistry(GeneratedProtos.files) } catch {
            Log.error("reflection.unavailable", ["error": "\(error)"])
            return nil
        }
    }()

    /// Serves one stream of questions.
    func serve(_ call: ServerCall) {
        call.onMessage = { [self, weak call] bytes in
            guard let call else { return }
            let response: Response
            do throws(ProtoError) {
                let request = try Request.decode(bytes)
                response = Core.assumeIsolated { answer(request) }
            } catch {
                return call.finish(GRPCStatus(.invalidArgument, "the request is not valid: \(error)"))
            }
            response.serialized().withUnsafeBytes { call.send(message: $0) }
        }
        call.onHalfClose = { [weak call] in call?.finish() }
    }

    private func answer(_ request: Request) -> Response {
        .with {
            $0.validHost = request.host
            $0.originalRequest = request
            $0.messageResponse = outcome(request)
        }
    }

    private func outcome(_ request: Request) -> Response.MessageResponseOneof {
        switch request.messageRequest {
        case .fileByFilename(let name): files(registry?.files(named: name), name)
        case .fileContainingSymbol(let symbol): files(registry?.files(declaring: symbol), symbol)
        case .listServices:
            .listServicesResponse(
                .with { list in
                    list.service = (registry?.services ?? []).map { name in .with { $0.name = name } }
                })
        case .fileContainingExtension, .allExtensionNumbersOfType: failure(.notFound, "there are no extensions")
        case nil: failure(.unimplemented, "the request asks nothing that is known here")
        }
    }

    private func files(_ files: [ProtoFile]?, _ what: String) -> Response.MessageResponseOneof {
        guard let files else { return failure(.notFound, "not found: \(what.prefix(256))") }
        return .fileDescriptorResponse(.with { $0.fileDescriptorProto = files.map(\.descriptor) })
    }

    private func failure(_ code: GRPCStatusCode, _ message: String) -> Response.MessageResponseOneof {
        .errorResponse(
            .with {
                $0.errorCode = Int32(code.rawValue)
                $0.errorMessage = message
            })
    }
}
