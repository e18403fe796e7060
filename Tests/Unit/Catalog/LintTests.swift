import DomeCatalog
import DomeModel
import DomePlatform
import DomeSchema
import Testing

@Suite struct `The lint` {
    private static let registry =
        String(#filePath.dropLast("/Tests/Unit/Catalog/LintTests.swift".count)) + "/Registry"

    private static func schema() throws -> JSONSchema {
        let bytes = try Files.read(registry + "/schema/tool.schema.json", limitBytes: 1 << 20)
        return try JSONSchema.compile(try JSONParser.parse(bytes, what: "tool.schema.json"), what: "tool.schema.json")
    }

    /// A tool that there is nothing to say against.
    private static let good: [(String, JSONValue?)] = [
        ("tool_id", "thing.find"), ("title", "Find a thing"),
        ("short_description", "Finds a thing in a granted folder."),
        (
            "description",
            "Looks for a thing below a folder and writes one line for each. Grant the folder: fs.read:PATH."
        ),
        ("permissions", ["fs.read:*"]), ("annotations", ["read_only": true, "open_world": false]),
        ("examples", [["title": "Find it", "task": ["path": "/a"], "grants": ["fs.read:/a"]]]),
        ("entrypoint", ["argv": ["/bin/sh", "-c", "true"]]),
    ]
    private static let input = """
        {"type":"object","additionalProperties":false,
         "properties":{"path":{"type":"string","description":"Where."}}}
        """

    private func findings(
        _ changes: [(String, JSONValue?)] = [], input: String = Self.input, output: String? = #"{"type":"string"}"#
    ) throws -> [LintFinding] {
        let scratch = try Scratch()
        try writeTool(scratch, "thing.find", changes: Self.good + changes, input: input)
        if let output { try scratch.write("registry/tools/thing.find/output.schema.json", output) }
        let folders = try RegistryLint.toolFolders(of: scratch.path + "/registry")
        return RegistryLint(manifestSchema: try Self.schema()).findings(in: try #require(folders.first))
    }

    @Test func `has nothing to say of a good tool`() throws { #expect(try findings().isEmpty) }

    @Test(
        arguments: [
            ([("title", "X")], "title-words", "/title", LintFinding.Severity.warning),
            ([("short_description", "no sentence")], "short-description", "/short_description", .warning),
            ([("description", "Short.")], "description", "/description", .warning),
            ([("kind", "Two Words")], "kind-word", "/kind", .warning),
            ([("annotations", nil)], "annotations", "/annotations", .warning),
            ([("examples", nil)], "examples", "/examples", .warning),
            ([("entrypoint", ["argv": ["pdftotext"]])], "requires", "/requires/programs", .warning),
            ([("examples", [["title": "Bad", "task": ["path": 1]]])], "example-fits", "/examples/0/task/path", .error),
            (
                [("examples", [["title": "Bad", "task": [:], "grants": ["net.full"]]])], "example-grants",
                "/examples/0/grants", .error
            ),
            (
                [("permissions", ["fs.read:*", "fs.write:*"]), ("side_effects", ["writes"])], "annotations-truthful",
                "/annotations/read_only", .error
            ),
            ([("side_effects", ["deletes the moon"])], "annotations-truthful", "/annotations/read_only", .error),
            (
                [("optional_permissions", ["net.full"])], "annotations-truthful", "/annotations/open_world", .error
            ),
            (
                [("annotations", ["read_only": true, "open_world": true])], "annotations-truthful",
                "/annotations/open_world", .error
            ),
            (
                [("annotations", ["read_only": false, "open_world": false])], "annotations-truthful",
                "/annotations/read_only", .error
            ),
            (
                [("annotations", ["read_only": true, "open_world": false, "destructive": true])],
                "annotations-truthful",
                "/annotations/destructive", .error
            ),
            (
                [
                    ("permissions", ["fs.read:*", "fs.write:*"]),
                    ("annotations", ["read_only": false, "open_world": false]),
                ], "side-effects", "/side_effects", .error
            ),
            ([("version", "1")], "manifest-schema", "/version", .error), ([("version", "1")], "loads", "", .error),
            ([("files", ["run.sh"])], "loads", "", .error),
        ] as [([(String, JSONValue?)], String, String, LintFinding.Severity)]) func `names rule and place`(
            _ changes: [(String, JSONValue?)], _ rule: String, _ pointer: String, _ severity: LintFinding.Severity
        ) throws
    {
        let found = try findings(changes)
        let wanted = found.first { $0.rule == rule && $0.pointer == pointer }
        #expect(wanted?.severity == severity, "\(found)")
        #expect(wanted?.remedy.isEmpty == false && wanted?.file == "tool.json")
    }

    @Test(arguments: [
        (#"{"type":"object","properties":{"path":{"type":"string","description":"x"}}}"#, "closed-object", ""),
        (
            #"{"additionalProperties":false,"properties":{"path":{"type":"string"}}}"#, "parameter-description",
            "/properties/path"
        ),
        (
            #"{"additionalProperties":false,"properties":{"path":{"description":"x"}}}"#, "parameter-type",
            "/properties/path"
        ),
        (
            #"{"additionalProperties":false,"properties":{"thePath":{"type":"string","description":"x"}}}"#,
            "parameter-name", "/properties/thePath"
        ),
        (
            #"{"properties":{"path":{"description":"x","type":"object","properties":{"ab":{"type":"null"}}}}}"#,
            "parameter-description", "/properties/path/properties/ab"
        ),
        (#"{"additionalProperties":false,"x-unknown":1}"#, "schema-warning", ""),
        (
            #"{"additionalProperties":false,"properties":{"path":{"type":"string","description":""}}}"#,
            "parameter-description", "/properties/path"
        ),
        (
            #"{"additionalProperties":false,"properties":{"p":{"type":"string","description":"x"}}}"#,
            "parameter-name", "/properties/p"
        ),
        (
            #"{"items":{"additionalProperties":false,"properties":{"path":{"description":"x"}}}}"#, "parameter-type",
            "/items/properties/path"
        ),
    ]) func `looks at parameters`(_ input: String, _ rule: String, _ pointer: String) throws {
        let found = try findings([("examples", nil)], input: input)
        #expect(
            found.contains { $0.rule == rule && $0.pointer == pointer && $0.file == "input.schema.json" }, "\(found)")
    }

    /// Each by itself: nothing else is to be said of the tool.
    @Test(
        arguments: [
            ([("annotations", ["open_world": false])], ["annotations"]),
            ([("annotations", ["read_only": true])], ["annotations"]),
            (
                [("permissions", ["fs.write:*"]), ("side_effects", ["writes"]), ("examples", Self.plainExample)],
                ["annotations-truthful", "annotations-truthful"]
            ),
            ([("title", "Find a thing.")], ["title-words"]), ([("title", "thing.find")], ["title-words"]),
            ([("title", "Find")], ["title-words"]),
            ([("short_description", "Finds a thing in a granted folder")], ["short-description"]),
            ([("short_description", "finds a thing in a granted folder.")], ["short-description"]),
            ([("short_description", "Finds a thing.")], ["short-description"]),
            (
                [("title", "Find a thing in a folder"), ("short_description", "Find a thing in a folder.")],
                ["short-description"]
            ),
            (
                [("short_description", .string(Self.sentence)), ("description", .string(Self.sentence))],
                ["description"]
            ),
            ([("optional_permissions", ["unix"])], ["annotations-truthful"]),
            (
                [("optional_permissions", ["unix"]), ("annotations", ["read_only": true, "open_world": true])], []
            ),
            (
                [
                    ("entrypoint", ["argv": ["pdftotext"]]),
                    ("requires", ["programs": [["name": "pdftotext", "package": "poppler-utils"]]]),
                ], []
            ),
            ([("entrypoint", ["argv": ["/job/.tool/run"]])], []),
        ] as [([(String, JSONValue?)], [String])]) func `says one thing of one mistake`(
            _ changes: [(String, JSONValue?)], _ rules: [String]
        ) throws
    {
        let found = try findings(changes)
        #expect(found.map(\.rule) == rules, "\(found)")
    }

    private static let plainExample: JSONValue = [["title": "Find it", "task": ["path": "/a"]]]
    private static let sentence = "Looks for a thing below a folder and writes one line for each of them."

    @Test(arguments: [("find", "id-words"), ("thing.f", "id-words"), ("thing.find-all", nil)] as [(String, String?)])
    func `looks at the words of an id`(_ id: String, _ rule: String?) throws {
        let scratch = try Scratch()
        try writeTool(scratch, id, changes: Self.good + [("tool_id", .string(id))], input: Self.input)
        try scratch.write("registry/tools/\(id)/output.schema.json", "true")
        let found = RegistryLint(manifestSchema: nil).findings(in: scratch.path + "/registry/tools/" + id)
        #expect(found.map(\.rule) == [rule].compactMap(\.self), "\(found)")
    }

    @Test func `looks at the output, too`() throws {
        #expect(try findings(output: nil).map(\.rule) == ["output-schema"])
        let odd = try findings(output: #"{"x-unknown":1}"#)
        #expect(odd.map(\.rule) == ["schema-warning"] && odd.map(\.file) == ["output.schema.json"], "\(odd)")
    }

    @Test func `says what is in error first`() throws {
        let found = try findings([
            ("title", "X"), ("examples", [["title": "Bad", "task": ["path": 1]]]), ("description", "Short."),
        ])
        #expect(found.map(\.severity) == [.error, .warning, .warning], "\(found)")
    }

    @Test(arguments: [
        (#"{"properties":{"a":{"minLength":-1},"b":{"type":"strin"}}}"#, "schema-form", "/properties/a/minLength"),
        (#"{"properties":{"a":{"minLength":-1},"b":{"type":"strin"}}}"#, "schema-form", "/properties/b/type"),
        (#"{"$schema":"http://json-schema.org/draft-07/schema#","items":3}"#, "schema-form", "/items"),
        (#"{"properties":{"a":[]}}"#, "schema-form", "/properties/a"), (##"{"$ref":"#"}"##, "schema-compiles", ""),
        (#"{"$ref":"http://elsewhere/"}"#, "schema-compiles", ""), ("{", "schema-compiles", ""),
        (#"{"$schema":"http://unknown/"}"#, "schema-compiles", ""),
    ]) func `names every mistake of a schema with its file and place`(
        _ schema: String, _ rule: String, _ pointer: String
    ) throws {
        for (input, output, file) in [
            (schema, "{}", "input.schema.json"), ("{}", schema, "output.schema.json"),
        ] {
            let errors = try findings([("examples", nil)], input: input, output: output).filter {
                $0.severity == .error
            }
            #expect(errors.count { $0.rule == rule && $0.pointer == pointer && $0.file == file } == 1, "\(errors)")
            #expect(errors.allSatisfy { $0.file == file && !$0.remedy.isEmpty }, "\(errors)")
        }
    }

    @Test func `finds no error in what ships`() throws {
        let lint = RegistryLint(manifestSchema: try Self.schema())
        let folders = try RegistryLint.toolFolders(of: Self.registry)
        #expect(folders.count > 20)
        for folder in folders {
            for finding in lint.findings(in: folder) where finding.severity == .error {
                Issue.record(
                    "\(finding.folder) \(finding.file) \(finding.pointer): \(finding.rule): \(finding.message)")
            }
        }
        #expect(refusal { _ = try RegistryLint.toolFolders(of: Self.registry + "/schema") }.contains("no registry"))
    }
}
