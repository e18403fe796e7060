/// What a response's header fields and trailers said.
struct ResponseHeaders {
    private var httpStatus = 0
    private var isGRPC = false
    private var isEncodingKnown = true
    private var code: GRPCStatusCode?
    private var message: String?
    /// The first block is complete: what comes now is trailers.
    var isTrailers = false
    var metadata = RawMetadata()
    var trailers = RawMetadata()

    mutating func take(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
        switch name.count {
        case 7 where matches(name, ":status"): httpStatus = Int(String(decoding: value, as: UTF8.self)) ?? 0
        case 11 where matches(name, "grpc-status"):
            let number = Int(String(decoding: value, as: UTF8.self))
            code = number.flatMap(GRPCStatusCode.init(rawValue:)) ?? .unknown
        case 12 where matches(name, "grpc-message"): message = TextEncoding.percentDecoded(value)
        case 12 where matches(name, "content-type"): isGRPC = RequestHeaders.isAcceptable(contentType: value)
        case 13 where matches(name, "grpc-encoding"): isEncodingKnown = matches(value, "identity")
        case 20 where matches(name, "grpc-accept-encoding"): break
        default:
            if isTrailers { trailers.append(name, value) } else { metadata.append(name, value) }
        }
    }

    /// Headers and end in one block: what looked like metadata is trailers.
    mutating func becomeTrailersOnly() {
        guard !isTrailers else { return }
        swap(&metadata, &trailers)
        isTrailers = true
    }

    /// The final headers are here, not just an interim 1xx response.
    var isComplete: Bool { httpStatus >= 200 }

    /// Why the response cannot be read on; nil if its headers are fine.
    var refusal: GRPCStatus? {
        if code != nil { return nil }
        guard httpStatus == 200, isGRPC else { return .fromHTTP(status: httpStatus) }
        return isEncodingKnown ? nil : GRPCStatus(.internal, "the server compresses, though nobody asked for it")
    }

    /// The status, once the stream has ended.
    var status: GRPCStatus {
        if let code { return GRPCStatus(code, message ?? "") }
        if httpStatus != 200 || !isGRPC { return .fromHTTP(status: httpStatus) }
        return GRPCStatus(.unknown, "the server ended the stream without a status")
    }
}
