internal import DomeAsync
internal import DomeModel

extension Method {
    /// The handshake. Made again, it begins the session anew.
    static let initialize = Method(era: .handshake, isAlwaysAllowed: true) { call throws(RPCError) in
        guard let asked = call.parameters["protocolVersion"]?.stringValue else {
            throw .invalidParameters("initialize needs \"protocolVersion\", a string such as \"2025-06-18\"")
        }
        let version = ProtocolVersion.negotiated(asked)
        call.session.version = version
        call.session.client = ClientDescription(call.parameters["clientInfo"])
        call.session.capabilities = call.parameters["capabilities"]?.objectValue ?? JSONObject()
        return .object([
            "protocolVersion": .string(version.rawValue), "capabilities": ServerCard.capabilities(version),
            "serverInfo": ServerCard.implementation, "instructions": .string(Bridge.instructions),
        ])
    }

    /// A sign of life.
    static let ping = Method(era: .handshake, isAlwaysAllowed: true) { _ in .object(JSONObject()) }
}

/// What the server says of itself.
enum ServerCard {
    static let implementation: JSONValue = [
        "name": .string(Bridge.name), "title": "dome: tools as sandboxed jobs", "version": .string(DomeVersion.text),
    ]

    static func capabilities(_ version: ProtocolVersion) -> JSONValue {
        var capabilities: JSONObject = [
            "tools": ["listChanged": false], "resources": ["listChanged": false, "subscribe": false],
        ]
        if version.isStateless { capabilities["extensions"] = .object([TasksExtension.name: [:]]) }
        return .object(capabilities)
    }
}

extension JSONObject {
    /// What the stateless era wants in every result: its kind, who answers, and how long the answer holds.
    func completed(
        for call: Call, cachedMilliseconds: Int64? = nil, as kind: String = "complete"
    ) -> JSONObject {
        guard call.version.isStateless else { return self }
        var result = self
        result["resultType"] = .string(kind)
        result["_meta"] = [MetaKey.server: ServerCard.implementation]
        if let cachedMilliseconds {
            result["ttlMs"] = .integer(cachedMilliseconds)
            result["cacheScope"] = "private"
        }
        return result
    }
}
