package import DomeModel

/// An error of the protocol, as JSON-RPC has it. What goes wrong in a tool is none: that is a result (`ToolReport`).
package struct RPCError: Error, Sendable, Equatable {
    package var code: Int64
    package var message: String
    package var data: JSONValue?

    static func parse(_ message: String) -> RPCError { RPCError(code: -32700, message: message) }
    static func invalidRequest(_ message: String) -> RPCError { RPCError(code: -32600, message: message) }
    static func unknownMethod(_ method: String) -> RPCError {
        RPCError(code: -32601, message: "unknown method: \(method.prefix(200))")
    }
    static func invalidParameters(_ message: String) -> RPCError { RPCError(code: -32602, message: message) }
    static func internalError(_ message: String) -> RPCError { RPCError(code: -32603, message: message) }

    /// A resource that is not there: a code of its own in the handshake era, which 2026-07-28 retired.
    static func noResource(_ uri: String, _ message: String, _ version: ProtocolVersion) -> RPCError {
        RPCError(
            code: version.isStateless ? -32602 : -32002, message: message, data: ["uri": .string(uri)])
    }

    /// The version that a request of the stateless era names is none that is served so.
    static func unsupportedVersion(_ asked: String) -> RPCError {
        RPCError(
            code: -32022, message: "unsupported protocol version",
            data: [
                "supported": .array(ProtocolVersion.stateless.map { .string($0.rawValue) }),
                "requested": .string(asked),
            ])
    }

    var json: JSONValue {
        var object: JSONObject = ["code": .integer(code), "message": .string(message)]
        object["data"] = data
        return .object(object)
    }
}
