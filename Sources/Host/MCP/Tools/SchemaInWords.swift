internal import DomeModel

/// A tool's schema as clients pass it on. Many drop what is more than types and descriptions (bounds, patterns,
/// defaults), and some refuse alternatives at the top: so all of that is repeated in words.
enum SchemaInWords {
    /// The properties with their constraints in their descriptions.
    static func properties(_ schema: JSONObject) -> JSONObject {
        var output = JSONObject()
        for (name, value) in schema["properties"]?.objectValue?.members ?? [] { output[name] = described(value) }
        return output
    }

    /// What the top of the schema demands beyond its properties, as a sentence; empty if it is nothing.
    static func alternatives(_ schema: JSONObject) -> String {
        var sentences: [String] = []
        for (keyword, opening) in [("oneOf", "Give exactly one of these: "), ("anyOf", "Give at least one of these: ")]
        {
            guard let branches = schema[keyword]?.arrayValue else { continue }
            let names = branches.compactMap { branch -> String? in
                guard let required = branch["required"]?.arrayValue?.compactMap(\.stringValue) else { return nil }
                return required.joined(separator: " with ")
            }
            sentences.append(
                names.count == branches.count
                    ? opening + names.joined(separator: ", or ") + "."
                    : "More conditions hold; dome_describe_tool shows them.")
        }
        if schema["allOf"] != nil || schema["not"] != nil || schema["if"] != nil {
            sentences.append("More conditions hold; dome_describe_tool shows them.")
        }
        return sentences.joined(separator: " ")
    }

    private static func described(_ schema: JSONValue) -> JSONValue {
        guard var object = schema.objectValue else { return schema }
        let words = constraints(object)
        if !words.isEmpty {
            let text = object["description"]?.stringValue ?? ""
            let gap = text.isEmpty ? "" : text.hasSuffix(".") ? " " : ". "
            object["description"] = .string(text + gap + "(" + words.joined(separator: "; ") + ")")
        }
        if let items = object["items"] { object["items"] = described(items) }
        if object["properties"] != nil { object["properties"] = .object(properties(object)) }
        return .object(object)
    }

    private static func constraints(_ schema: JSONObject) -> [String] {
        let sentences: [(String, (String) -> String)] = [
            ("default", { "default \($0)" }), ("minimum", { "at least \($0)" }), ("maximum", { "at most \($0)" }),
            ("exclusiveMinimum", { "more than \($0)" }), ("exclusiveMaximum", { "less than \($0)" }),
            ("multipleOf", { "a multiple of \($0)" }),
            ("minLength", { $0 == "1" ? "not empty" : "at least \($0) characters" }),
            ("maxLength", { "at most \($0) characters" }), ("pattern", { "matches \($0)" }), ("format", { "a \($0)" }),
            ("minItems", { "at least \($0) items" }), ("maxItems", { "at most \($0) items" }),
            ("const", { "always \($0)" }),
        ]
        var words = sentences.compactMap { keyword, sentence in schema[keyword].map { sentence($0.compact) } }
        if schema["uniqueItems"]?.boolValue == true { words.append("no item twice") }
        return words
    }
}
