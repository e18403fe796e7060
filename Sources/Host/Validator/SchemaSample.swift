internal import DomeCatalog
internal import DomeModel

/// A value that fits a JSON Schema, for the schemas that people write. What is made is checked by the validator, so a
/// keyword that is not understood here costs an example, never a wrong one.
enum SchemaSample {
    static func make(of schema: JSONValue) -> JSONValue? {
        guard let compiled = try? JSONSchema.compile(schema, what: "the schema") else { return nil }
        for isFull in [false, true] {
            if let sample = build(schema, root: schema, isFull: isFull, depth: 0), compiled.validate(sample).isEmpty {
                return sample
            }
        }
        return nil
    }

    /// `isFull`: with the optional members too.
    private static func build(_ schema: JSONValue, root: JSONValue, isFull: Bool, depth: Int) -> JSONValue? {
        guard depth < 16 else { return nil }
        if schema.boolValue == true { return .object(JSONObject()) }
        for keyword in ["const", "default"] { if let value = schema[keyword] { return value } }
        for keyword in ["examples", "enum"] { if let value = schema[keyword]?.arrayValue?.first { return value } }
        if let reference = schema["$ref"]?.stringValue, reference.hasPrefix("#/$defs/") {
            guard let target = root["$defs"]?[String(reference.dropFirst(8))] else { return nil }
            return build(target, root: root, isFull: isFull, depth: depth + 1)
        }
        for keyword in ["oneOf", "anyOf", "allOf"] where schema["type"] == nil && schema["properties"] == nil {
            if let first = schema[keyword]?.arrayValue?.first {
                return build(first, root: root, isFull: isFull, depth: depth + 1)
            }
        }
        switch schema["type"]?.stringValue ?? schema["type"]?.arrayValue?.first?.stringValue ?? "object" {
        case "null": return .null
        case "boolean": return .bool(true)
        case "integer": return .integer(Int64(number(schema).rounded(.up)))
        case "number": return .double(number(schema))
        case "string": return text(schema)
        case "array": return array(schema, root, isFull, depth)
        default: return object(schema, root, isFull, depth)
        }
    }

    private static func number(_ schema: JSONValue) -> Double {
        if let least = schema["minimum"]?.doubleValue { return least }
        if let below = schema["exclusiveMinimum"]?.doubleValue { return below + 1 }
        if let most = schema["maximum"]?.doubleValue { return min(1, most) }
        return 1
    }

    private static func text(_ schema: JSONValue) -> JSONValue {
        let least = schema["minLength"]?.integerValue ?? 0
        let most = schema["maxLength"]?.integerValue ?? 1024
        let word = "example"
        if word.count < least { return .string(String(repeating: "x", count: Int(min(least, 1 << 16)))) }
        return .string(String(word.prefix(Int(clamping: most))))
    }

    private static func array(_ schema: JSONValue, _ root: JSONValue, _ isFull: Bool, _ depth: Int) -> JSONValue? {
        let count = max(schema["minItems"]?.integerValue ?? 0, isFull ? 1 : 0)
        guard count > 0, count <= 64 else { return count == 0 ? .array([]) : nil }
        let items = schema["items"] ?? .object(JSONObject())
        guard let item = build(items, root: root, isFull: isFull, depth: depth + 1) else { return nil }
        return .array(Array(repeating: item, count: Int(count)))
    }

    private static func object(_ schema: JSONValue, _ root: JSONValue, _ isFull: Bool, _ depth: Int) -> JSONValue? {
        let required = (schema["required"]?.arrayValue ?? []).compactMap(\.stringValue)
        var object = JSONObject()
        for (name, member) in schema["properties"]?.objectValue?.members ?? [] where isFull || required.contains(name) {
            guard let value = build(member, root: root, isFull: isFull, depth: depth + 1) else { return nil }
            object[name] = value
        }
        for name in required where object[name] == nil { object[name] = .string("example") }
        return .object(object)
    }
}
