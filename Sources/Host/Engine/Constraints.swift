package import DomeModel

/// What `constraints_json` says to dome; everything else in it is the tool's own and passes through.
package struct Constraints: Sendable, Equatable {
    /// How long the reply may wait for the job's end.
    package var waitMilliseconds: UInt64?
    /// Wall limit of this job; never above the manifest's.
    package var timeoutMilliseconds: UInt64?
    package var grants: [Permission] = []
    /// -100…100; higher is started earlier.
    package var priority: Int64 = 0
    /// The whole document as it came, for the tool.
    package var document: JSONObject = JSONObject()
    /// A remark for the reply's message, when an unknown key looks like a misspelt known one.
    package var hint: String?

    private static let known = ["wait_ms", "timeout_ms", "grants", "priority"]

    /// Parses the text; empty means none. A known key with a wrong type is an error that names it.
    package init(parsing text: String) throws(DomeError) {
        guard !text.isEmpty else { return }
        guard let object = try JSONParser.parse(text, what: "constraints_json").objectValue else {
            throw DomeError(.invalidRequest, "constraints_json must be a JSON object")
        }
        document = object
        for (key, value) in object.members {
            switch key {
            case "wait_ms": waitMilliseconds = try Self.milliseconds(key, value, minimum: 0)
            case "timeout_ms": timeoutMilliseconds = try Self.milliseconds(key, value, minimum: 1)
            case "priority": priority = try Self.priority(value)
            case "grants": grants = try Self.grants(value)
            default:
                if let meant = Self.known.first(where: { Self.isMisspelling(key, of: $0) }) {
                    hint =
                        "constraints_json: unknown key \"\(key.prefix(64))\" passed to the tool; "
                        + "did you mean \"\(meant)\"?"
                }
            }
        }
    }

    /// The document without what does not change the request's meaning, for comparing requests.
    package var identity: JSONValue {
        var object = document
        object["wait_ms"] = nil
        return .object(object)
    }

    private static func milliseconds(
        _ key: String, _ value: JSONValue, minimum: Int64
    ) throws(DomeError) -> UInt64 {
        guard let number = value.integerValue, number >= minimum, number <= 1 << 41 else {
            throw DomeError(.invalidRequest, "constraints_json: \"\(key)\" must be a whole number of milliseconds")
        }
        return UInt64(number)
    }

    private static func priority(_ value: JSONValue) throws(DomeError) -> Int64 {
        guard let number = value.integerValue, (-100...100).contains(number) else {
            throw DomeError(.invalidRequest, "constraints_json: \"priority\" must be a whole number, -100 to 100")
        }
        return number
    }

    private static func grants(_ value: JSONValue) throws(DomeError) -> [Permission] {
        let message = "constraints_json: \"grants\" must be a list of permissions, e.g. [\"fs.read:/some/path\"]"
        guard let elements = value.arrayValue, elements.count <= 256 else {
            throw DomeError(.invalidRequest, message)
        }
        var grants: [Permission] = []
        for element in elements {
            guard let text = element.stringValue else { throw DomeError(.invalidRequest, message) }
            grants.append(try Permission(parsing: text))
        }
        return grants
    }

    /// Whether `key` is within two edits of `known` (and not it) or lacks its unit, case and dashes aside.
    private static func isMisspelling(_ key: String, of known: String) -> Bool {
        let left = Array(key.lowercased().utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 })
        let right = Array(known.utf8)
        // The unit forgotten: "timeout" for "timeout_ms".
        if left + Array("_ms".utf8) == right { return true }
        guard left.count <= right.count + 2, right.count <= left.count + 2 else { return false }
        var row = Array(0...right.count)
        for (i, a) in left.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let substituted = diagonal + (a == b ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[right.count] <= 2
    }
}
