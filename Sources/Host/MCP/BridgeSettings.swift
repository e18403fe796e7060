package import DomeModel
internal import DomePlatform

/// What the user decides about the bridge: `mcp.json` in the configuration directory, all of it optional.
package struct BridgeSettings: Sendable, Equatable {
    /// The ids of the tools that are listed by themselves; nil: those that are not diagnostic, up to a number.
    package var tools: [String]?
    /// How large a result may be, in bytes of JSON; nil: as the client can take it.
    package var outputBytes: Int?
    /// What a job gets when the call names no grants; a tool that does not ask for it is not given it. `{cwd}` is the
    /// folder in which the client started the bridge.
    package var grants = ["fs.read:{cwd}"]
    /// The label that is recorded with the jobs.
    package var profile = "mcp"

    package init() {}

    /// Reads the file; one that is not there means the defaults. What is wrong in it is an error that names it.
    package init(file path: String) throws(DomeError) {
        guard Files.exists(path) else { return }
        let document = try JSONParser.parse(try Files.read(path, limitBytes: 1 << 20), what: path)
        guard let object = document.objectValue else { throw DomeError(.invalidRequest, "\(path) must be an object") }
        for (key, value) in object.members {
            switch key {
            case "tools": tools = try Self.texts(value, key, path)
            case "grants": grants = try Self.texts(value, key, path)
            case "profile": profile = try Self.text(value, key, path)
            case "output_bytes":
                guard let number = value.integerValue, (1_000...1_000_000).contains(number) else {
                    throw DomeError(.invalidRequest, "\(path): \"\(key)\" must be a number, 1000 to 1000000")
                }
                outputBytes = Int(number)
            default:
                throw DomeError(
                    .invalidRequest,
                    "\(path): unknown key \"\(key.prefix(64))\"; known are tools, grants, profile, output_bytes")
            }
        }
    }

    private static func text(_ value: JSONValue, _ key: String, _ path: String) throws(DomeError) -> String {
        guard let text = value.stringValue, !text.isEmpty, text.utf8.count <= 512 else {
            throw DomeError(.invalidRequest, "\(path): \"\(key)\" must be text of 1 to 512 bytes")
        }
        return text
    }

    private static func texts(_ value: JSONValue, _ key: String, _ path: String) throws(DomeError) -> [String] {
        guard let elements = value.arrayValue, elements.count <= 256 else {
            throw DomeError(.invalidRequest, "\(path): \"\(key)\" must be a list of at most 256 texts")
        }
        var texts: [String] = []
        for element in elements { texts.append(try text(element, key, path)) }
        return texts
    }
}
