import DomeModel

/// One schema, boolean or object, with its keywords sorted by what they look at. Subschemas are indices into
/// the compiled schema's list, so that `$ref` may go round in circles without reference cycles.
final class SchemaNode: Sendable {
    let rules: SchemaRules

    init(_ rules: SchemaRules) { self.rules = rules }
}

/// The keywords of one schema.
struct SchemaRules: Sendable {
    /// Set for the schemas `true` and `false`.
    var verdict: Bool?
    /// Empty means any.
    var types: SchemaTypes = []
    var allowed: [JSONValue]?
    var constant: JSONValue?
    var object: ObjectRules?
    var array: ArrayRules?
    var string: StringRules?
    var number: NumberRules?
    var inPlace: InPlaceRules?
}

/// The values of `type`.
struct SchemaTypes: OptionSet, Sendable {
    let rawValue: UInt8
    static let null = SchemaTypes(rawValue: 1)
    static let boolean = SchemaTypes(rawValue: 2)
    static let integer = SchemaTypes(rawValue: 4)
    static let number = SchemaTypes(rawValue: 8)
    static let string = SchemaTypes(rawValue: 16)
    static let array = SchemaTypes(rawValue: 32)
    static let object = SchemaTypes(rawValue: 64)

    static let named: [(name: String, type: SchemaTypes)] = [
        ("null", .null), ("boolean", .boolean), ("integer", .integer), ("number", .number), ("string", .string),
        ("array", .array), ("object", .object),
    ]

    /// The types that `value` has: a whole number, 1.0 among them, is an integer too.
    static func of(_ value: JSONValue) -> SchemaTypes {
        switch value {
        case .null: .null
        case .bool: .boolean
        case .integer: [.integer, .number]
        case .double(let number): number.rounded(.towardZero) == number ? [.integer, .number] : .number
        case .string: .string
        case .array: .array
        case .object: .object
        }
    }

    /// E.g. "a string or an integer".
    var prose: String {
        let words = Self.named.filter { contains($0.type) }.map { Self.article($0.name) }
        return words.count < 2
            ? words.first ?? "anything" : words.dropLast().joined(separator: ", ") + " or " + (words.last ?? "")
    }

    static func article(_ name: String) -> String {
        switch name {
        case "null": "null"
        case "integer", "array", "object": "an " + name
        default: "a " + name
        }
    }
}

struct ObjectRules: Sendable {
    var properties: [String: Int] = [:]
    /// In the schema's order, for messages.
    var propertyNames: [String] = []
    var required: [String] = []
    var patterns: [(pattern: Pattern, schema: Int)] = []
    var additional: Int?
    var names: Int?
    var minimum = 0
    var maximum = Int.max
    var dependentRequired: [(name: String, required: [String])] = []
    var dependentSchemas: [(name: String, schema: Int)] = []
}

struct ArrayRules: Sendable {
    var prefix: [Int] = []
    var items: Int?
    var contains: Int?
    var minimumContains: Int?
    var maximumContains: Int?
    var minimum = 0
    var maximum = Int.max
    var mustBeUnique = false
}

struct StringRules: Sendable {
    /// Lengths are in Unicode code points.
    var minimum = 0
    var maximum = Int.max
    var pattern: Pattern?
}

struct NumberRules: Sendable {
    var minimum: SchemaNumber?
    var exclusiveMinimum: SchemaNumber?
    var maximum: SchemaNumber?
    var exclusiveMaximum: SchemaNumber?
    var multipleOf: SchemaNumber?
}

/// Subschemas that look at the same value as their parent.
struct InPlaceRules: Sendable {
    var reference: Int?
    var all: [Int] = []
    var any: [Int] = []
    var one: [Int] = []
    var not: Int?
    var condition: Int?
    var consequence: Int?
    var alternative: Int?

    var targets: [Int] {
        let single = [reference, not, condition, consequence, alternative].compactMap { $0 }
        return single + all + any + one
    }
}
