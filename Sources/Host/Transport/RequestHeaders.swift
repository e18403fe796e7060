/// What a request's header fields said, checked while they arrive.
struct RequestHeaders {
    var isPost = false
    var hasPath = false
    /// A content-type that is gRPC with protobuf (or with nothing said about the payload).
    var isGRPC = false
    /// grpc-encoding is absent or `identity`.
    var isEncodingKnown = true
    var timeoutNanoseconds: Int64?
    var isTimeoutValid = true
    /// RFC 9113's count: name + value + 32 for each field.
    var listBytes = 0
    var metadata = RawMetadata()

    /// Takes a field; true if it was `:path`, which is the caller's.
    mutating func take(_ name: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) -> Bool {
        switch name.count {
        case 2 where matches(name, "te"): break
        case 5 where matches(name, ":path"):
            hasPath = true
            return true
        case 7 where matches(name, ":method"): isPost = matches(value, "POST")
        case 7 where matches(name, ":scheme"): break
        case 10 where matches(name, ":authority") || matches(name, "user-agent"): break
        case 12 where matches(name, "content-type"): isGRPC = Self.isAcceptable(contentType: value)
        case 12 where matches(name, "grpc-timeout"):
            timeoutNanoseconds = GRPCTimeout.parse(value)
            isTimeoutValid = timeoutNanoseconds != nil
        case 13 where matches(name, "grpc-encoding"): isEncodingKnown = matches(value, "identity")
        case 15 where matches(name, "accept-encoding"): break
        case 20 where matches(name, "grpc-accept-encoding"): break
        default: metadata.append(name, value)
        }
        return false
    }

    /// `application/grpc`, also with parameters, or `application/grpc+proto`.
    static func isAcceptable(contentType value: UnsafeRawBufferPointer) -> Bool {
        let essence = UnsafeRawBufferPointer(rebasing: value.prefix { $0 != UInt8(ascii: ";") && $0 != 0x20 })
        return matches(essence, "application/grpc") || matches(essence, "application/grpc+proto")
    }

    /// Why the call cannot be served, in gRPC's terms; nil if nothing is wrong with the headers.
    func refusal(isMethodKnown: Bool, path: () -> String) -> (GRPCStatus, (StaticString, StaticString)?)? {
        if !isMethodKnown { return (GRPCStatus(.unimplemented, "unknown method " + path()), nil) }
        if !isTimeoutValid { return (GRPCStatus(.internal, "malformed grpc-timeout"), nil) }
        if !isEncodingKnown {
            return (
                GRPCStatus(.unimplemented, "grpc-encoding is not supported; send identity"),
                ("grpc-accept-encoding", "identity")
            )
        }
        return nil
    }
}
