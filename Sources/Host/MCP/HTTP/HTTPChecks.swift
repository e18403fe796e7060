internal import DomeModel
internal import DomeTransport

/// What is asked of a request before its message is read.
enum HTTPChecks {
    /// Nil if the request may come in. A page in a browser could have it sent (Origin), or have a name of its own point
    /// here (Host); both are known by names that are not the loopback's.
    static func problem(_ request: HTTPRequest, _ token: BearerToken) -> HTTPProblem? {
        guard let host = request.header("host"), isLoopback(host) else {
            return HTTPProblem(status: 403, message: "Host must be this machine's loopback")
        }
        if request.count(of: "origin") > 0 {
            guard let origin = request.header("origin"), isLocal(origin: origin) else {
                return HTTPProblem(status: 403, message: "Origin must be this machine's loopback")
            }
        }
        var metadata = Metadata()
        for (name, value) in request.headers where name == "authorization" {
            try? metadata.add(name, Array(value.utf8))
        }
        guard token.judge(metadata) == nil else {
            return HTTPProblem(status: 401, message: "send the token: Authorization: Bearer <token>")
        }
        return nil
    }

    private static func isLocal(origin: String) -> Bool {
        for scheme in ["http://", "https://"] where origin.hasPrefix(scheme) {
            return isLoopback(String(origin.dropFirst(scheme.count)))
        }
        return false
    }

    /// With a port or without.
    static func isLoopback(_ host: String) -> Bool {
        for name in ["localhost", "127.0.0.1", "[::1]"] where host.lowercased().hasPrefix(name) {
            let rest = host.dropFirst(name.count)
            return rest.isEmpty || rest.first == ":" && UInt16(rest.dropFirst()) != nil
        }
        return false
    }

    static func isJSON(_ request: HTTPRequest) -> Bool {
        let type = request.header("content-type")?.split(separator: ";").first ?? ""
        return type.lowercased().filter { $0 != " " } == "application/json"
    }

    /// Whether the client takes that type; one that says nothing takes all.
    static func accepts(_ request: HTTPRequest, _ type: String) -> Bool {
        let values = request.headers.filter { $0.name == "accept" }.map { $0.value.lowercased() }
        guard !values.isEmpty else { return true }
        let group = type.split(separator: "/").first.map { $0 + "/*" } ?? ""
        return values.joined(separator: ",").split(separator: ",").contains { one in
            let name = (one.split(separator: ";").first ?? "").filter { $0 != " " }
            return name == "*/*" || name == group || name == type
        }
    }

    /// The stateless era repeats in headers what a message says, for whoever routes it; both must say the same.
    static func mismatch(_ request: HTTPRequest, _ message: JSONValue) -> RPCError? {
        func error(_ header: String) -> RPCError {
            RPCError(code: -32020, message: "the header \(header) does not say what the message says")
        }
        let parameters = message["params"]
        let version = parameters?["_meta"]?[MetaKey.version]?.stringValue
        // A message without a version is told so by the method that wants one.
        if version != nil || request.count(of: "mcp-protocol-version") != 1 {
            guard request.header("mcp-protocol-version") == version else { return error("MCP-Protocol-Version") }
        }
        let method = message["method"]?.stringValue
        guard request.header("mcp-method") == method else { return error("Mcp-Method") }
        let named = [
            "tools/call": "name", "resources/read": "uri", "prompts/get": "name", "tasks/get": "taskId",
            "tasks/update": "taskId", "tasks/cancel": "taskId",
        ]
        guard let key = method.flatMap({ named[$0] }), let value = parameters?[key]?.stringValue else { return nil }
        return request.header("mcp-name").flatMap(decoded) == value ? nil : error("Mcp-Name")
    }

    /// `=?base64?…?=` for what does not go into a header as it is.
    private static func decoded(_ value: String) -> String? {
        guard value.hasPrefix("=?base64?"), value.hasSuffix("?="), value.utf8.count >= 11 else { return value }
        return Base64.decode(String(value.dropFirst(9).dropLast(2))).flatMap {
            String(validating: $0, as: UTF8.self)
        }
    }
}
