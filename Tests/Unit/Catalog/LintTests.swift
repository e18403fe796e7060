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
    ]) func `looks at parameters`(_ input: String, _ rule: String, _ pointer: String) throws {
        let found = try findings([("examples", nil)], input: input)
        #expect(
            found.contains { $0.rule == rule && $0.pointer == pointer && $0.file == "input.schema.json" }, "\(found)")
    }

    @Test func `finds no error in what ships`() throws {
        let lint = RegistryLint(manifestSchema: try Self.schema())
        for folder in try RegistryLint.toolFolders(of: Self.registry) {
            for finding in lint.findings(in: folder) where finding.severity == .error {
                Issue.record(
                    "\(finding.folder) \(finding.file) \(finding.pointer): \(finding.rule): \(finding.message)")
            }
        }
        #expect(refusal { _ = try RegistryLint.toolFolders(of: Self.registry + "/schema") }.contains("no registry"))
    }
}
