// Room Transport: gRPC over HTTP/2, server and client, on a Unix socket (or on loopback TCP when asked).
// libnghttp2 speaks the frames; everything that makes it gRPC is here: message framing, status and metadata,
// deadlines, cancellation, flow control with bounded buffers, limits against hostile peers, graceful drain.
//
// Callbacks, no concurrency runtime. A server or a client connection, its calls and every closure they call
// belong to ONE event loop's thread; `EventLoop.execute` is the only way in from another. Nothing is written
// to a socket at once: what the callbacks of a turn produce leaves with one send() at the turn's end.
//
// Sources: gRPC's doc/PROTOCOL-HTTP2.md, doc/statuscodes.md and doc/compression.md; RFC 9113 (HTTP/2).

/// gRPC's status codes (doc/statuscodes.md).
package enum GRPCStatusCode: Int, Sendable, CaseIterable {
    case ok = 0
    case cancelled = 1
    case unknown = 2
    case invalidArgument = 3
    case deadlineExceeded = 4
    case notFound = 5
    case alreadyExists = 6
    case permissionDenied = 7
    case resourceExhausted = 8
    case failedPrecondition = 9
    case aborted = 10
    case outOfRange = 11
    case unimplemented = 12
    case `internal` = 13
    case unavailable = 14
    case dataLoss = 15
    case unauthenticated = 16
}

/// How a call ended.
package struct GRPCStatus: Sendable, Equatable, CustomStringConvertible {
    package var code: GRPCStatusCode
    /// Text for people; any Unicode, percent-encoded on the wire.
    package var message: String

    package init(_ code: GRPCStatusCode, _ message: String = "") {
        self.code = code
        self.message = message
    }

    package static let ok = GRPCStatus(.ok)
    package var isOK: Bool { code == .ok }
    package var description: String { message.isEmpty ? "\(code)" : "\(code): \(message)" }
}

extension GRPCStatus {
    /// What a client makes of a response that is no gRPC response (doc/http-grpc-status-mapping.md).
    static func fromHTTP(status: Int) -> GRPCStatus {
        let code: GRPCStatusCode =
            switch status {
            case 400: .internal
            case 401: .unauthenticated
            case 403: .permissionDenied
            case 404: .unimplemented
            case 429, 502, 503, 504: .unavailable
            default: .unknown
            }
        return GRPCStatus(code, "the server answered with HTTP status \(status) and no gRPC status")
    }

    /// What a client makes of RST_STREAM without a status (PROTOCOL-HTTP2.md, "Errors").
    static func fromReset(errorCode: UInt32) -> GRPCStatus {
        let code: GRPCStatusCode =
            switch errorCode {
            case 0x7: .unavailable
            case 0x8: .cancelled
            case 0xb: .resourceExhausted
            case 0xc: .permissionDenied
            default: .internal
            }
        return GRPCStatus(code, "the server reset the stream with HTTP/2 error \(errorCode)")
    }
}
