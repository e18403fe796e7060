// Room Schema: JSON Schema, draft 2020-12 with all its vocabularies, and 2019-09 and draft-07 where `$schema` says so. A schema is
// compiled once, into flat nodes, and then holds any number of documents against itself. Both are taken as hostile:
// recursion, memory and work are bounded. No I/O: what a `$ref` leads to is in the schema, given along with it, or one
// of the metaschemas.

package import DomeModel

/// A compiled JSON Schema, immutable and shared freely between threads.
///
/// As the specification says, a keyword that nobody knows constrains nothing; `warnings` names it. What cannot be
/// applied in full is refused when the schema is compiled: malformed keywords, references that lead out of what is there,
/// regular expressions that take more than linear time. `format` is an annotation unless `Options` or the metaschema's
/// vocabulary ask for more; the content keywords are annotations unless `Options` ask for more. Source: json-schema.org/draft/2020-12, and
/// docs/adr/0040.
package struct JSONSchema: Sendable {
    /// How a schema is compiled.
    package struct Options: Sendable {
        /// Documents that a `$ref` may lead to, by URI without fragment.
        package var documents: [String: JSONTree] = [:]
        /// Whether `format` constrains.
        package var assertsFormats = false
        /// Whether `contentEncoding` (base64) and `contentMediaType` (application/json) do.
        package var assertsContent = false
        /// For schemas that do not say what they are.
        package var defaultDialect = SchemaDialect.draft2020
        /// Whether a keyword that looks like a misspelt constraint refuses the schema, instead of a warning.
        package var refusesMisspellings = false
        /// Where the schema itself is from: what a relative `$id` or `$ref` in it is relative to.
        package var uri = ""

        package init() {}

        /// For what tools and plugins bring along: a constraint that its author meant must not be lost.
        package static var strict: Options {
            var options = Options()
            options.refusesMisspellings = true
            return options
        }
    }

    let program: SchemaProgram
    /// What its author should look at: unknown keywords and formats, keywords that have no effect where they stand.
    package let warnings: [String]

    /// The dialect assumed where `$schema` is missing.
    package static let dialect = "https://json-schema.org/draft/2020-12/schema"

    /// Compiles `document`; `what` names it in errors, e.g. its path. E_INVALID_REQUEST, naming keyword and
    /// JSON Pointer, for anything malformed. Strict about misspellings.
    package static func compile(_ document: JSONValue, what: String) throws(DomeError) -> JSONSchema {
        try compile(JSONTree(document), what: what, options: .strict)
    }

    /// Compiles a document whose numbers are as they were written.
    package static func compile(
        _ document: JSONTree, what: String, options: Options = Options()
    ) throws(DomeError) -> JSONSchema {
        var compiler = SchemaCompiler(options, what: what)
        let program = try compiler.compile(document, uri: options.uri)
        return JSONSchema(program: program, warnings: compiler.warnings)
    }

    /// Everything about `instance` that the schema rejects, in document order; empty means valid. At most
    /// `SchemaValidator.violationLimit` are listed. Costs a few microseconds for a small task.
    package func validate(_ instance: JSONValue) -> [SchemaViolation] { validate(JSONTree(instance)) }

    /// The same, for a document whose numbers are as they were written.
    package func validate(_ instance: JSONTree) -> [SchemaViolation] {
        var validator = SchemaValidator(program, instance)
        return validator.validate()
    }

    /// Whether `instance` fits. Faster than `validate` for one that does not.
    package func accepts(_ instance: JSONTree) -> Bool {
        var validator = SchemaValidator(program, instance)
        return validator.acceptsInstance()
    }
}

/// One thing that a schema rejects. Holds names and limits, never a value of the instance.
package struct SchemaViolation: Sendable, Equatable {
    /// Where in the instance: a JSON Pointer (RFC 6901), "" for the whole document.
    package var pointer: String
    /// The schema keyword that rejects it, e.g. "required".
    package var keyword: String
    /// Where that keyword stands: a JSON Pointer into the schema's document, behind the document's URI if that is
    /// another one, e.g. a metaschema.
    package var schemaPointer: String
    /// For people, e.g. "must be a string, not an integer".
    package var message: String

    package init(pointer: String, keyword: String, message: String, schemaPointer: String = "") {
        self.pointer = pointer
        self.keyword = keyword
        self.message = message
        self.schemaPointer = schemaPointer
    }
}

extension SchemaViolation: CustomStringConvertible {
    /// E.g. `/argv/0: must be a string, not an integer`; the whole document is called `(root)`.
    package var description: String { (pointer.isEmpty ? "(root)" : pointer) + ": " + message }
}
