internal import DomeModel

/// A compiled schema: nodes that know each other by index, so that `$ref` may go round in circles.
final class SchemaProgram: Sendable {
    let nodes: [SchemaNode]
    let objects: [SchemaPart<ObjectRules>]
    let arrays: [SchemaPart<ArrayRules>]
    let strings: [SchemaPart<StringRules>]
    let numbers: [SchemaPart<NumberRules>]
    let inPlaces: [SchemaPart<InPlaceRules>]
    let values: [SchemaPart<ValueRules>]
    /// By name of a `$dynamicAnchor`: resource → node.
    let dynamicTargets: [[Int: Int]]

    init(_ rules: [SchemaRules], dynamicTargets: [[Int: Int]]) {
        var objects: [SchemaPart<ObjectRules>] = []
        var arrays: [SchemaPart<ArrayRules>] = []
        var strings: [SchemaPart<StringRules>] = []
        var numbers: [SchemaPart<NumberRules>] = []
        var inPlaces: [SchemaPart<InPlaceRules>] = []
        var values: [SchemaPart<ValueRules>] = []
        nodes = rules.map { rule in
            var node = SchemaNode()
            node.verdict = rule.verdict.map { $0 ? .accepts : .refuses } ?? .depends
            node.types = rule.types
            node.resource = Int32(truncatingIfNeeded: rule.resource)
            node.unevaluatedItems = Int32(truncatingIfNeeded: rule.unevaluatedItems ?? -1)
            node.unevaluatedProperties = Int32(truncatingIfNeeded: rule.unevaluatedProperties ?? -1)
            node.object = Self.add(rule.object, to: &objects)
            node.array = Self.add(rule.array, to: &arrays)
            node.string = Self.add(rule.string, to: &strings)
            node.number = Self.add(rule.number, to: &numbers)
            node.inPlace = Self.add(rule.inPlace, to: &inPlaces)
            node.value = Self.add(rule.value, to: &values)
            return node
        }
        (self.objects, self.arrays, self.strings, self.numbers) = (objects, arrays, strings, numbers)
        (self.inPlaces, self.values) = (inPlaces, values)
        self.dynamicTargets = dynamicTargets
        locations = rules.map(\.location)
    }

    /// Where each node stands in its document: a JSON pointer, behind the URI of another document than the first.
    let locations: [String]

    private static func add<Rules>(_ rules: Rules?, to list: inout [SchemaPart<Rules>]) -> Int32 {
        guard let rules else { return -1 }
        list.append(SchemaPart(rules))
        return Int32(truncatingIfNeeded: list.count - 1)
    }
}

/// Rules behind one reference: looking at them copies none of their lists.
final class SchemaPart<Rules: Sendable>: Sendable {
    let rules: Rules

    init(_ rules: Rules) { self.rules = rules }
}

/// One schema, flat. -1: it has none.
struct SchemaNode: Sendable {
    enum Verdict: UInt8 { case depends, accepts, refuses }

    var verdict = Verdict.depends
    /// Empty means any.
    var types: SchemaTypes = []
    var resource: Int32 = 0
    var object: Int32 = -1
    var array: Int32 = -1
    var string: Int32 = -1
    var number: Int32 = -1
    var inPlace: Int32 = -1
    var value: Int32 = -1
    var unevaluatedProperties: Int32 = -1
    var unevaluatedItems: Int32 = -1
}

/// The keywords of one schema while it is compiled.
struct SchemaRules: Sendable {
    var location: String
    var resource: Int
    var verdict: Bool?
    var types: SchemaTypes = []
    var object: ObjectRules?
    var array: ArrayRules?
    var string: StringRules?
    var number: NumberRules?
    var inPlace: InPlaceRules?
    var value: ValueRules?
    var unevaluatedProperties: Int?
    var unevaluatedItems: Int?
}

/// `const` and `enum`.
struct ValueRules: Sendable {
    /// The schema's document, in which the values stand.
    var tree: JSONTree
    var constant: Int?
    var allowed: [Int]?
    /// Of `allowed`.
    var hashes: [UInt64] = []
}

struct ObjectRules: Sendable {
    /// Every name that any of the keywords mentions.
    var names = SchemaNames()
    /// By name: the schema from `properties`, or -1.
    var schemas: [Int32] = []
    var required: [Int32] = []
    var patterns: [(pattern: Pattern, source: String, schema: Int)] = []
    var additional: Int?
    var propertyNames: Int?
    var minimum = 0
    var maximum = Int.max
    var dependentRequired: [(name: Int32, required: [Int32])] = []
    var dependentSchemas: [(name: Int32, schema: Int)] = []

    /// `dependencies`, to name the keyword that was used.
    var usesDependencies = false

    /// Whether it matters which names are there.
    var needsPresence: Bool { !required.isEmpty || !dependentRequired.isEmpty || !dependentSchemas.isEmpty }

    mutating func id(of name: String) -> Int32 {
        let id = names.insert(name)
        if id == schemas.count { schemas.append(-1) }
        return Int32(truncatingIfNeeded: id)
    }
}

struct ArrayRules: Sendable {
    var prefix: [Int] = []
    /// The keyword that `prefix` came from: `items` in draft-07.
    var items: Int?
    var itemsKeyword: StaticString = "items"
    var contains: Int?
    var minimumContains: Int?
    var maximumContains: Int?
    var minimum = 0
    var maximum = Int.max
    var mustBeUnique = false
    /// Whether an element that `contains` accepts counts as evaluated: not so in draft-07.
    var containsEvaluates = true
}

struct StringRules: Sendable {
    /// Lengths are in Unicode code points.
    var minimum = 0
    var maximum = Int.max
    var pattern: Pattern?
    /// As it was written, for messages; cut if it is long.
    var patternText = ""
    var format: SchemaFormat?
    var content = StringContent()
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
    /// `name` is nil where a `$dynamicRef` means what a `$ref` would.
    var dynamicReference: (target: Int, name: Int?)?
    var all: [Int] = []
    var any: [Int] = []
    var one: [Int] = []
    var not: Int?
    var condition: Int?
    var consequence: Int?
    var alternative: Int?

    /// Those that are known when the schema is compiled.
    var targets: [Int] {
        let single = [reference, not, condition, consequence, alternative].compactMap { $0 }
        return single + all + any + one + (dynamicReference.map { $0.name == nil ? [$0.target] : [] } ?? [])
    }
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
