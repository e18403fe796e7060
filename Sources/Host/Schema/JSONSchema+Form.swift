package import DomeModel

extension JSONSchema {
    /// What is wrong with the form of a schema, by the metaschema of its dialect, at most one for each place: all of it, where
    /// compiling ends at the first. Nothing for a `$schema` that is not known, which compiling refuses.
    package static func formViolations(_ document: JSONTree) -> [SchemaViolation] {
        let named = document.member("$schema", of: 0).flatMap(document.string)
        guard let dialect = named.map({ SchemaDialect(uri: SchemaURI($0).resource) }) ?? .draft2020,
            let metaschema = metaschemas[dialect]
        else { return [] }
        // Each vocabulary says the same of what is no schema at all.
        var seen: Set<String> = []
        return metaschema.validate(document).filter { seen.insert($0.pointer).inserted }
    }

    private static let metaschemas: [SchemaDialect: JSONSchema] = {
        var compiled: [SchemaDialect: JSONSchema] = [:]
        for dialect in SchemaDialect.allCases {
            guard let tree = Metaschemas.document(dialect.uri) else { continue }
            var options = Options()
            options.uri = dialect.uri
            compiled[dialect] = try? compile(tree, what: dialect.uri, options: options)
        }
        return compiled
    }()
}
