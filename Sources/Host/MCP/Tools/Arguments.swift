internal import DomeModel

/// The arguments of a call, read by name. Whatever is wrong is said with its name and how it should be: models
/// correct themselves by that.
struct Arguments: Sendable {
    let members: JSONObject

    /// Refuses names that are none of `known`.
    init(_ members: JSONObject, known: [String]) throws(ToolFailure) {
        self.members = members
        for name in members.keys where !known.contains(name) {
            throw .invalid(
                "unknown argument \"\(name.prefix(64))\"", hint: "Arguments are: \(known.joined(separator: ", ")).")
        }
    }

    init(unchecked members: JSONObject) { self.members = members }

    private func value(_ name: String) -> JSONValue? {
        guard let value = members[name], value != .null else { return nil }
        return value
    }

    /// Text that must be there.
    func text(_ name: String, hint: String) throws(ToolFailure) -> String {
        guard let text = try optionalText(name), !text.isEmpty else {
            throw .invalid("\"\(name)\" is missing", hint: hint)
        }
        return text
    }

    func optionalText(_ name: String) throws(ToolFailure) -> String? {
        guard let value = value(name) else { return nil }
        guard let text = value.stringValue else { throw wrong(name, value, "a string") }
        return text
    }

    /// A whole number; text that is one will do.
    func number(_ name: String, _ range: ClosedRange<Int64>, default usual: Int64) throws(ToolFailure) -> Int64 {
        guard let value = value(name) else { return usual }
        let number = value.integerValue ?? value.stringValue.flatMap { Int64($0) }
        guard let number, range.contains(number) else {
            throw .invalid(
                "\"\(name)\" must be a whole number from \(range.lowerBound) to \(range.upperBound)",
                hint: "Leave it out for \(usual).")
        }
        return number
    }

    /// Seconds, with a fraction if wanted; what is too long is cut to `limit`.
    func seconds(_ name: String, limit: Double, default usual: Double) throws(ToolFailure) -> Double {
        try optionalSeconds(name, limit: limit) ?? usual
    }

    func optionalSeconds(_ name: String, limit: Double) throws(ToolFailure) -> Double? {
        guard let value = value(name) else { return nil }
        guard let number = value.doubleValue ?? value.stringValue.flatMap({ Double($0) }), number >= 0 else {
            throw .invalid(
                "\"\(name)\" must be a number of seconds, 0 or more", hint: "Leave it out for the usual time.")
        }
        return min(number, limit)
    }

    /// A list, or one alone; text that holds a list will do, for models that encode twice.
    func texts(_ name: String) throws(ToolFailure) -> [String]? {
        guard let value = value(name) else { return nil }
        if let text = value.stringValue, text.first != "[" { return [text] }
        guard let elements = (value.stringValue.flatMap(Self.parsed) ?? value).arrayValue else {
            throw wrong(name, value, "a list of strings")
        }
        var texts: [String] = []
        for element in elements {
            guard let text = element.stringValue else { throw wrong(name, element, "a list of strings") }
            texts.append(text)
        }
        return texts
    }

    /// A document; text that holds one will do, for models that encode twice.
    func document(_ name: String) throws(ToolFailure) -> JSONValue {
        guard let value = value(name) else { return .object(JSONObject()) }
        guard let text = value.stringValue else { return value }
        do throws(DomeError) {
            return try JSONParser.parse(text, what: "\"\(name)\"")
        } catch {
            throw .invalid(error.message, hint: "Give \"\(name)\" as an object.")
        }
    }

    private static func parsed(_ text: String) -> JSONValue? { try? JSONParser.parse(text, what: "a list") }

    private func wrong(_ name: String, _ value: JSONValue, _ wanted: String) -> ToolFailure {
        .invalid("\"\(name)\" must be \(wanted), not \(value.typeName)", hint: "Correct it and call again.")
    }
}
