package import DomeModel

/// A key of `config.json`: its type, its limits, and what it does, said once for parsing, `dome config`, the JSON Schema
/// and (checked by tests) the manual.
package struct Setting: Sendable {
    /// When a changed value takes effect.
    package enum Effect: String, Sendable {
        /// At SIGHUP.
        case reload
        /// When domed starts.
        case restart
    }

    /// The values that it takes.
    package enum Kind: Sendable {
        /// A whole number.
        case number(any WritableKeyPath<Configuration, UInt64> & Sendable, ClosedRange<UInt64>)
        /// One of these.
        case word(any WritableKeyPath<Configuration, String> & Sendable, [String])
        case flag(any WritableKeyPath<Configuration, Bool> & Sendable)
        /// HOST:PORT of the loopback, or "" for none.
        case loopback(any WritableKeyPath<Configuration, String> & Sendable)
    }

    package var key: String
    package var kind: Kind
    package var effect: Effect
    /// A sentence, with the unit.
    package var help: String

    /// The value in these settings.
    package func read(_ configuration: Configuration) -> JSONValue {
        switch kind {
        case .number(let path, _): .count(configuration[keyPath: path])
        case .word(let path, _), .loopback(let path): .string(configuration[keyPath: path])
        case .flag(let path): .bool(configuration[keyPath: path])
        }
    }

    /// False if it is none of the values that it takes; then nothing is changed.
    package func write(_ configuration: inout Configuration, _ value: JSONValue) -> Bool {
        switch kind {
        case .number(let path, let range):
            guard let number = value.integerValue.flatMap({ UInt64(exactly: $0) }), range.contains(number) else {
                return false
            }
            configuration[keyPath: path] = number
        case .word(let path, let words):
            guard let word = value.stringValue, words.contains(word) else { return false }
            configuration[keyPath: path] = word
        case .flag(let path):
            guard let flag = value.boolValue else { return false }
            configuration[keyPath: path] = flag
        case .loopback(let path):
            guard let text = value.stringValue, text.isEmpty || Self.isLoopback(text) else { return false }
            configuration[keyPath: path] = text
        }
        return true
    }

    /// What it must be, for people.
    package var form: String {
        switch kind {
        case .number(_, let range) where range.upperBound == Self.unlimited:
            "a whole number, \(range.lowerBound) or more"
        case .number(_, let range): "a whole number between \(range.lowerBound) and \(range.upperBound)"
        case .word(_, let words): words.map { "\"\($0)\"" }.joined(separator: " or ")
        case .flag: "true or false"
        case .loopback: "\"\" or a port of the loopback, \"127.0.0.1:PORT\" or \"[::1]:PORT\""
        }
    }

    private static func isLoopback(_ text: String) -> Bool {
        guard let colon = text.lastIndex(of: ":"), ["127.0.0.1", "[::1]"].contains(String(text[..<colon])) else {
            return false
        }
        let port = text[text.index(after: colon)...]
        return (1...5).contains(port.utf8.count) && port.utf8.allSatisfy { (0x30...0x39).contains($0) }
            && UInt16(port) != nil
    }

    /// The largest that JSON's readers agree on.
    static let unlimited: UInt64 = 1 << 53 - 1

    /// The JSON Schema of its value.
    private var schema: JSONObject {
        switch kind {
        case .number(_, let range):
            ["type": "integer", "minimum": .count(range.lowerBound), "maximum": .count(range.upperBound)]
        case .word(_, let words): ["type": "string", "enum": .array(words.map { .string($0) })]
        case .flag: ["type": "boolean"]
        case .loopback: ["type": "string", "pattern": "^((127\\.0\\.0\\.1|\\[::1\\]):[0-9]{1,5})?$"]
        }
    }

    /// The JSON Schema of `config.json`; Registry/schema/config.schema.json is this.
    package static var schemaDocument: JSONValue {
        let defaults = Configuration()
        var properties: JSONObject = ["$schema": ["type": "string"]]
        for setting in all {
            var schema = setting.schema
            schema["default"] = setting.read(defaults)
            let when = setting.effect == .reload ? "Reloaded at SIGHUP." : "Takes effect when domed starts."
            schema["description"] = .string("\(setting.help) \(when)")
            properties[setting.key] = .object(schema)
        }
        return [
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "dome's config.json",
            "description": "Settings of domed; see dome-config(5).", "type": "object",
            "additionalProperties": false, "properties": .object(properties),
        ]
    }
}
