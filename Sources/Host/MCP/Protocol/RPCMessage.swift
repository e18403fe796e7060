internal import DomeModel

/// A request's id: text or a whole number, given back as it came.
enum RequestID: Hashable, Sendable {
    case number(Int64)
    case text(String)

    init?(_ value: JSONValue) {
        switch value {
        case .integer(let number): self = .number(number)
        case .string(let text): self = .text(text)
        default: return nil
        }
    }

    var json: JSONValue {
        switch self {
        case .number(let number): .integer(number)
        case .text(let text): .string(text)
        }
    }
}

/// One message of a client.
enum RPCMessage: Sendable {
    case request(id: RequestID, method: String, parameters: JSONObject)
    case notification(method: String, parameters: JSONObject)
    /// The answer to a request of ours. We make none.
    case response
    /// Owed an error; the id is null where none could be read.
    case broken(id: JSONValue, RPCError)

    /// Reads a message that is JSON already.
    init(_ value: JSONValue) {
        guard let object = value.objectValue else {
            self = .broken(id: .null, .invalidRequest("a message must be an object, not \(value.typeName)"))
            return
        }
        let id: RequestID?
        if let given = object["id"] {
            id = RequestID(given)
            guard id != nil else {
                let text = "an id must be a string or a whole number of 64 bits, not \(given.typeName)"
                self = .broken(id: .null, .invalidRequest(text))
                return
            }
        } else {
            id = nil
        }
        self = Self.read(object, id)
    }

    private static func read(_ object: JSONObject, _ id: RequestID?) -> RPCMessage {
        let echo = id?.json ?? .null
        guard object["jsonrpc"]?.stringValue == "2.0" else {
            return .broken(id: echo, .invalidRequest("\"jsonrpc\" must be \"2.0\""))
        }
        guard let method = object["method"] else {
            if id != nil, object["result"] != nil || object["error"] != nil { return .response }
            return .broken(id: echo, .invalidRequest("a request needs a \"method\""))
        }
        guard let name = method.stringValue else {
            return .broken(id: echo, .invalidRequest("\"method\" must be a string, not \(method.typeName)"))
        }
        let parameters: JSONObject
        switch object["params"] {
        case nil: parameters = JSONObject()
        case .object(let members): parameters = members
        case .some(let other):
            guard id != nil else { return .notification(method: name, parameters: JSONObject()) }
            return .broken(id: echo, .invalidParameters("\"params\" must be an object, not \(other.typeName)"))
        }
        guard let id else { return .notification(method: name, parameters: parameters) }
        return .request(id: id, method: name, parameters: parameters)
    }
}

/// A result on its way out.
enum RPCResult: Sendable {
    case object(JSONObject)
    /// A result written before, for what is asked often.
    case ready([UInt8])
}

/// The bytes of messages to a client, each on one line without its newline.
enum RPCText {
    static func response(_ id: JSONValue, _ result: RPCResult) -> [UInt8] {
        var output = Array("{\"jsonrpc\":\"2.0\",\"id\":".utf8)
        JSONText.write(id, into: &output, order: .given)
        output.append(contentsOf: ",\"result\":".utf8)
        switch result {
        case .object(let object): JSONText.write(.object(object), into: &output, order: .given)
        case .ready(let bytes): output.append(contentsOf: bytes)
        }
        output.append(UInt8(ascii: "}"))
        return output
    }

    static func error(_ id: JSONValue, _ error: RPCError) -> [UInt8] {
        let message: JSONValue = ["jsonrpc": "2.0", "id": id, "error": error.json]
        return Array(message.compact.utf8)
    }

    static func notification(_ method: String, _ parameters: JSONObject) -> [UInt8] {
        let message: JSONValue = ["jsonrpc": "2.0", "method": .string(method), "params": .object(parameters)]
        return Array(message.compact.utf8)
    }
}
