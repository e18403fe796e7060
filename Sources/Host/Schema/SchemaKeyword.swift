internal import DomeModel

/// A keyword: the vocabulary it belongs to, and where in its argument there are schemas.
struct SchemaKeyword: Sendable {
    enum Holding: Sendable {
        case nothing, schema, list, map
        /// `items` of draft-07.
        case schemaOrList
        /// `dependencies`: schemas or lists of names.
        case mapOfSchemasOrNames
    }

    var vocabulary: SchemaVocabularies
    var holding = Holding.nothing
}

/// The vocabularies of 2020-12; 2019-09 has one for format, and unevaluated among the applicators, and draft-07 has all
/// but unevaluated.
struct SchemaVocabularies: OptionSet, Sendable {
    let rawValue: UInt16
    static let core = SchemaVocabularies(rawValue: 1)
    static let applicator = SchemaVocabularies(rawValue: 2)
    static let unevaluated = SchemaVocabularies(rawValue: 4)
    static let validation = SchemaVocabularies(rawValue: 8)
    static let metaData = SchemaVocabularies(rawValue: 16)
    static let formatAnnotation = SchemaVocabularies(rawValue: 32)
    static let formatAssertion = SchemaVocabularies(rawValue: 64)
    static let content = SchemaVocabularies(rawValue: 128)
    static let format: SchemaVocabularies = [.formatAnnotation, .formatAssertion]

    static let standard: SchemaVocabularies = [
        .core, .applicator, .unevaluated, .validation, .metaData, .formatAnnotation, .content,
    ]

    /// By the last part of its URI.
    static let named: [String: SchemaVocabularies] = [
        "core": .core, "applicator": .applicator, "unevaluated": .unevaluated, "validation": .validation,
        "meta-data": .metaData, "format-annotation": .formatAnnotation, "format-assertion": .formatAssertion,
        "content": .content, "format": .formatAnnotation,
    ]
}

/// The languages that are understood, by `$schema`.
package enum SchemaDialect: Sendable, CaseIterable {
    case draft2020
    case draft7
    case draft2019

    /// As people call it.
    var name: String {
        switch self {
        case .draft2020: "2020-12"
        case .draft7: "draft-07"
        case .draft2019: "2019-09"
        }
    }

    /// Of its metaschema, without fragment.
    var uri: String { self == .draft7 ? "http://json-schema.org/draft-07/schema" : base + "schema" }
    /// What the URIs of its vocabularies begin with.
    var vocabularyPrefix: String { base + "vocab/" }
    private var base: String { "https://json-schema.org/draft/\(name)/" }

    /// By a URI without fragment.
    init?(uri: String) {
        let plain = uri == "https://json-schema.org/draft-07/schema" ? Self.draft7.uri : uri
        guard let dialect = Self.allCases.first(where: { $0.uri == plain }) else { return nil }
        self = dialect
    }

    var keywords: [String: SchemaKeyword] {
        switch self {
        case .draft2020: Self.keywords2020
        case .draft7: Self.keywords7
        case .draft2019: Self.keywords2019
        }
    }

    private static let keywords2020: [String: SchemaKeyword] = {
        var keywords = shared
        for name in ["$anchor", "$dynamicAnchor", "$dynamicRef", "$vocabulary"] {
            keywords[name] = SchemaKeyword(vocabulary: .core)
        }
        keywords["$defs"] = SchemaKeyword(vocabulary: .core, holding: .map)
        keywords["prefixItems"] = SchemaKeyword(vocabulary: .applicator, holding: .list)
        keywords["items"] = SchemaKeyword(vocabulary: .applicator, holding: .schema)
        keywords["dependentSchemas"] = SchemaKeyword(vocabulary: .applicator, holding: .map)
        keywords["unevaluatedItems"] = SchemaKeyword(vocabulary: .unevaluated, holding: .schema)
        keywords["unevaluatedProperties"] = SchemaKeyword(vocabulary: .unevaluated, holding: .schema)
        for name in ["dependentRequired", "minContains", "maxContains"] {
            keywords[name] = SchemaKeyword(vocabulary: .validation)
        }
        keywords["deprecated"] = SchemaKeyword(vocabulary: .metaData)
        keywords["contentSchema"] = SchemaKeyword(vocabulary: .content, holding: .schema)
        return keywords
    }()

    private static let keywords2019: [String: SchemaKeyword] = {
        var keywords = keywords2020
        for name in ["$dynamicAnchor", "$dynamicRef", "prefixItems"] { keywords[name] = nil }
        for name in ["$recursiveAnchor", "$recursiveRef"] { keywords[name] = SchemaKeyword(vocabulary: .core) }
        keywords["items"] = SchemaKeyword(vocabulary: .applicator, holding: .schemaOrList)
        for name in ["additionalItems", "unevaluatedItems", "unevaluatedProperties"] {
            keywords[name] = SchemaKeyword(vocabulary: .applicator, holding: .schema)
        }
        return keywords
    }()

    private static let keywords7: [String: SchemaKeyword] = {
        var keywords = shared
        keywords["items"] = SchemaKeyword(vocabulary: .applicator, holding: .schemaOrList)
        keywords["additionalItems"] = SchemaKeyword(vocabulary: .applicator, holding: .schema)
        return keywords
    }()

    /// In both. `definitions` and `dependencies` stand in the metaschema of 2020-12 too, as names kept for old schemas.
    private static let shared: [String: SchemaKeyword] = {
        var keywords: [String: SchemaKeyword] = [:]
        func add(_ vocabulary: SchemaVocabularies, _ holding: SchemaKeyword.Holding, _ names: String...) {
            for name in names { keywords[name] = SchemaKeyword(vocabulary: vocabulary, holding: holding) }
        }
        add(.core, .nothing, "$schema", "$id", "$ref", "$comment")
        add(.core, .map, "definitions")
        add(.applicator, .list, "allOf", "anyOf", "oneOf")
        add(.applicator, .map, "properties", "patternProperties")
        add(.applicator, .mapOfSchemasOrNames, "dependencies")
        add(.applicator, .schema, "not", "if", "then", "else", "additionalProperties", "propertyNames", "contains")
        add(
            .validation, .nothing, "type", "enum", "const", "multipleOf", "maximum", "exclusiveMaximum", "minimum",
            "exclusiveMinimum", "maxLength", "minLength", "pattern", "maxItems", "minItems", "uniqueItems",
            "maxProperties", "minProperties", "required")
        add(.format, .nothing, "format")
        add(.metaData, .nothing, "title", "description", "default", "examples", "readOnly", "writeOnly")
        add(.content, .nothing, "contentEncoding", "contentMediaType")
        return keywords
    }()

    /// The keyword that `name` was probably meant to be: at most two letters away.
    func nearest(to name: String) -> String? {
        guard name.utf8.count <= 40, !name.hasPrefix("x-") else { return nil }
        let candidates = keywords.keys.filter { abs($0.utf8.count - name.utf8.count) <= 2 }
        let ranked = candidates.map { (distance: $0.lowercased().distance(to: name.lowercased()), name: $0) }
        guard let best = ranked.min(by: { ($0.distance, $0.name) < ($1.distance, $1.name) }) else { return nil }
        return best.distance <= min(2, name.utf8.count / 3) ? best.name : nil
    }
}
