import DomeModel
import DomeSchema

extension Verb {
    /// `dome schema check`
    static let schemaCheck = Verb(
        words: ["schema", "check"], summary: "check a JSON Schema, and documents against it",
        details: [
            "SCHEMA is draft 2020-12, or 2019-09 or draft-07 if its \"$schema\" says so. What is wrong with it is said with its place; "
                + "what has no effect in it, such as a misspelt keyword, is a warning. Each INSTANCE is held against it: "
                + "every violation comes with the place in the document and the place in the schema, and never shows "
                + "values of the document. Nothing is fetched: a \"$ref\" must lead into the schema itself, a document "
                + "given with --with, or a metaschema.",
            "- is standard input, for one of them. An INSTANCE that cannot be read is named, and the others are checked.",
            "Exits with 0 if everything fits, with 1 if an instance does not, with 65 if the schema or a document cannot "
                + "be read as what it should be, with 66 if it is not there.",
        ],
        positionals: [
            PositionalSpec("SCHEMA", help: "a file", completion: .files),
            PositionalSpec(
                "INSTANCE", help: "a JSON file", isOptional: true, isRepeatable: true, completion: .files),
        ],
        options: [
            OptionSpec("--assert-format", help: "let \"format\" constrain, not only annotate"),
            OptionSpec(
                "--assert-content",
                help: "let \"contentEncoding\" base64 and \"contentMediaType\" application/json constrain"),
            OptionSpec(
                "--with", value: "FILE", help: "a schema that $ref may lead to, by its \"$id\"", isRepeatable: true,
                completion: .files),
        ],
        examples: ["dome schema check input.schema.json task.json", "dome schema check --assert-format s.json a.json"]
    ) { invocation throws(CommandFailure) in
        let path = invocation.argument(0)
        let places = invocation.positionals + invocation.values("--with")
        guard places.count(where: { $0 == "-" }) < 2 else { throw .usage("only one of the documents can be -") }
        let schema = try compiled(path, invocation)
        var text = schema.warnings.map { "warning: \(Rendered.line($0))\n" }.joined()
        var results: [JSONValue] = []
        var status = ExitStatus.success
        for file in invocation.positionals.dropFirst() {
            do throws(CommandFailure) {
                let violations = schema.validate(try document(file))
                if !violations.isEmpty { status = max(status, ExitStatus.failure) }
                results.append(["instance": .string(file), "violations": .array(violations.map(json))])
                text += Self.text(file, violations)
            } catch {
                status = max(status, error.status)
                results.append(["instance": .string(file), "error": .string(error.message)])
                text += "\(Rendered.line(file)): not checked: \(Rendered.line(error.message))\n"
            }
        }
        if results.isEmpty { text += "\(Rendered.line(path)): a schema that can be used\n" }
        try invocation.print(
            json: [
                "schema": .string(path), "warnings": .array(schema.warnings.map { .string($0) }),
                "instances": .array(results), "valid": .bool(status == ExitStatus.success),
            ], text: text)
        return status
    }

    private static func compiled(_ path: String, _ invocation: Invocation) throws(CommandFailure) -> JSONSchema {
        var options = JSONSchema.Options()
        options.assertsFormats = invocation.has("--assert-format")
        options.assertsContent = invocation.has("--assert-content")
        for file in invocation.values("--with") {
            let tree = try document(file)
            guard let name = tree.member("$id", of: 0).flatMap(tree.string) else {
                throw CommandFailure(
                    "\(file) has no \"$id\", so that no $ref can lead to it", status: ExitStatus.dataError)
            }
            options.documents[name.hasSuffix("#") ? String(name.dropLast()) : name] = tree
        }
        let tree = try document(path)
        return try local { () throws(DomeError) in try JSONSchema.compile(tree, what: path, options: options) }
    }

    /// More than any schema or message should be, and less than memory.
    private static let documentLimitBytes = 512 << 20

    private static func document(_ path: String) throws(CommandFailure) -> JSONTree {
        let bytes = try InputFile.read(path, limitBytes: documentLimitBytes)
        let what = path == "-" ? "standard input" : path
        return try local { () throws(DomeError) in try JSONTree.parse(bytes, what: what) }
    }

    private static func json(_ violation: SchemaViolation) -> JSONValue {
        [
            "instance_pointer": .string(violation.pointer), "schema_pointer": .string(violation.schemaPointer),
            "keyword": .string(violation.keyword), "message": .string(violation.message),
        ]
    }

    private static func text(_ file: String, _ violations: [SchemaViolation]) -> String {
        guard !violations.isEmpty else { return "\(Rendered.line(file)): valid\n" }
        return violations.map { violation in
            let place = violation.schemaPointer.isEmpty ? "" : " [\(violation.schemaPointer)]"
            return "\(Rendered.line(file)): \(Rendered.line(violation.description + place))\n"
        }.joined()
    }
}
