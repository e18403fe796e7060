internal import DomeModel
internal import DomeSchema

/// A value that fits a JSON Schema, for the schemas that people write. What is made is checked by the validator, so a
/// keyword that is not understood here costs an example, never a wrong one.
struct SchemaSample {
    private let root: JSONValue
    /// With the optional members too.
    private let isFull: Bool
    /// How many values may still be made: a schema of a few lines can ask for more than there are.
    private var valuesLeft = 10_000

    private init(root: JSONValue, isFull: Bool) { (self.root, self.isFull) = (root, isFull) }

    static func make(of schema: JSONValue) -> JSONValue? {
        guard let compiled = try? JSONSchema.compile(schema, what: "the schema") else { return nil }
        for isFull in [false, true] {
            var maker = SchemaSample(root: schema, isFull: isFull)
            if let sample = maker.build(schema, depth: 0), compiled.validate(sample).isEmpty { return sample }
        }
        return nil
    }

    private mutating func build(_ schema: JSONValue, depth: Int) -> JSONValue? {
        valuesLeft -= 1
        guard depth < 16, valuesLeft > 0 else { return nil }
        if schema.boolValue == true { return .object(JSONObject()) }
        for keyword in ["const", "default"] { if let value = schema[keyword] { return value } }
        for keyword in ["examples", "enum"] { if let value = schema[keyword]?.arrayValue?.first { return value } }
        if let reference = schema["$ref"]?.stringValue, reference.hasPrefix("#/$defs/") {
            guard let target = root["$defs"]?[String(reference.dropFirst(8))] else { return nil }
            return build(target, depth: depth + 1)
        }
        for keyword in ["oneOf", "anyOf", "allOf"] where schema["type"] == nil && schema["properties"] == nil {
            if let first = schema[keyword]?.arrayValue?.first {
                return build(first, depth: depth + 1)
            }
        }
        switch schema["type"]?.stringValue ?? schema["type"]?.arrayValue?.first?.stringValue ?? "object" {
        case "null": return .null
        case "boolean": return .bool(true)
        case "integer":
            let number = Self.number(schema).rounded(.up)
            return Int64(exactly: number).map { .integer($0) } ?? .double(number)
        case "number": return .double(Self.number(schema))
        case "string": return Self.text(schema)
        case "array": return array(schema, depth)
        default: return object(schema, depth)
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

    private mutating func array(_ schema: JSONValue, _ depth: Int) -> JSONValue? {
        let count = max(schema["minItems"]?.integerValue ?? 0, isFull ? 1 : 0)
        guard count <= 64 else { return nil }
        let items = schema["items"] ?? .object(JSONObject())
        var made: [JSONValue] = []
        while made.count < count {
            guard let item = build(items, depth: depth + 1) else { return nil }
            made.append(item)
        }
        return .array(made)
    }

    private mutating func object(_ schema: JSONValue, _ depth: Int) -> JSONValue? {
        let required = (schema["required"]?.arrayValue ?? []).compactMap(\.stringValue)
        var object = JSONObject()
        for (name, member) in schema["properties"]?.objectValue?.members ?? [] where isFull || required.contains(name) {
            guard let value = build(member, depth: depth + 1) else { return nil }
            object[name] = value
        }
        for name in required where object[name] == nil { object[name] = .string("example") }
        return .object(object)
    }
}
