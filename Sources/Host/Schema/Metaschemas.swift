internal import DomeModel

/// The schemas of schemas, by URI: drafts 2020-12 and 2019-09 with their vocabularies, and draft-07. A `$ref` to them works without
/// anything being fetched.
enum Metaschemas {
    /// By URI without fragment. Nil for any other.
    static func document(_ uri: String) -> JSONTree? {
        guard let text = texts[uri] else { return nil }
        return try? JSONTree.parse(Array(text.utf8), what: uri)
    }

    static var uris: [String] { texts.keys.sorted() }

    private static let base = "https://json-schema.org/draft/2020-12/"
    private static let base2019 = "https://json-schema.org/draft/2019-09/"

    private static let texts: [String: String] = [
        base + "schema": MetaschemaText.schema2020, base + "meta/core": MetaschemaText.core,
        base + "meta/applicator": MetaschemaText.applicator, base + "meta/unevaluated": MetaschemaText.unevaluated,
        base + "meta/validation": MetaschemaText.validation, base + "meta/meta-data": MetaschemaText.metaData,
        base + "meta/format-annotation": MetaschemaText.formatAnnotation,
        base + "meta/format-assertion": MetaschemaText.formatAssertion,
        base + "meta/content": MetaschemaText.content,
        base2019 + "schema": MetaschemaText2019.schema, base2019 + "meta/core": MetaschemaText2019.core,
        base2019 + "meta/applicator": MetaschemaText2019.applicator,
        base2019 + "meta/validation": MetaschemaText2019.validation,
        base2019 + "meta/meta-data": MetaschemaText2019.metaData,
        base2019 + "meta/format": MetaschemaText2019.format, base2019 + "meta/content": MetaschemaText2019.content,
        "http://json-schema.org/draft-07/schema": MetaschemaText.schema7,
    ]
}
