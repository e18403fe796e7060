import DomeCatalog
import DomeModel
import DomeSchema
import Testing

@Suite struct `A requirement` {
    private func requirements(_ document: JSONValue, environment: JSONValue? = nil) throws -> [ToolRequirement] {
        try ToolManifest(
            manifestDocument([("requires", document), ("environment", environment)]), what: "tool.json"
        ).requirements
    }

    @Test func `is read with its alternatives, package and path`() throws {
        let all = try requirements(
            [
                "python": [["name": "google.protobuf", "package": "python3-protobuf"]],
                "programs": [["name": "chromium", "or": ["chromium-browser"], "package": "chromium"]],
                "files": [["name": "/usr/share/dict/words", "package": "wamerican"]],
            ], environment: ["PATH": "/usr/games:relative:/usr/bin"])
        #expect(all.map(\.kind) == [.program, .pythonModule, .file])
        #expect(all.first?.names == ["chromium", "chromium-browser"])
        #expect(all.first?.folders == ["/usr/games", "/usr/bin"])
        #expect(all.last?.package == "wamerican")
        #expect(try ToolManifest(manifestDocument(), what: "tool.json").requirements.isEmpty)
    }

    @Test(
        arguments: [
            (["programs": "git"], "programs"), (["programs": ["git"]], "programs[0]"),
            (["programs": [["name": "git"]]], "\"package\" is missing"),
            (["programs": [["package": "git"]]], "\"name\" is missing"),
            (["programs": [["name": "/usr/bin/git", "package": "git"]]], "without a folder"),
            (["programs": [["name": "..", "package": "git"]]], "without a folder"),
            (["programs": [["name": "git", "package": "Git; rm"]]], "Debian package"),
            (["programs": [["name": "git", "package": "git", "version": "2"]]], "unknown member \"version\""),
            (["programs": [["name": "git", "or": ["a b"], "package": "git"]]], "'a b'"),
            (["python": [["name": "a..b", "package": "python3-a"]]], "module"),
            (["python": [["name": "../x", "package": "python3-a"]]], "module"),
            (["files": [["name": "/etc/passwd", "package": "passwd"]]], "/usr"),
            (["files": [["name": "/usr/../etc/passwd", "package": "passwd"]]], "/usr"),
            (["program": []], "unknown member \"program\""),
        ] as [(JSONValue, String)]) func `that is none is refused by its place`(
            _ document: JSONValue, _ fragment: String
        )
    {
        let message = refusal { _ = try requirements(document) }
        #expect(message.hasPrefix("tool.json: requires"), "\(message)")
        #expect(message.contains(fragment), "\(message)")
    }

    @Test func `is none of a diagnostic's`() {
        let document = manifestDocument([
            ("executor", nil), ("entrypoint", nil), ("diagnostic", "noop"),
            ("requires", ["programs": [["name": "sh", "package": "dash"]]]),
        ])
        #expect(refusal { _ = try ToolManifest(document, what: "tool.json") }.contains("requires"))
    }

    @Test func `is met by what every job sees, and else names the package`() throws {
        let met = try requirements([
            "programs": [["name": "no-such-shell", "or": ["sh"], "package": "dash"]],
            "python": [
                ["name": "json", "package": "python3"], ["name": "os.path", "or": ["os"], "package": "python3"],
            ],
            "files": [["name": "/usr/bin", "package": "base-files"]],
        ])
        for requirement in met { #expect(requirement.missing() == nil, "\(requirement)") }
        let missing = try requirements([
            "programs": [["name": "no-such-program", "or": ["nor-this"], "package": "some-package"]],
            "python": [["name": "no_such_module", "package": "python3-none"]],
            "files": [["name": "/usr/share/no-such-file", "package": "data"]],
        ])
        #expect(
            missing.map { $0.missing() } == [
                "needs no-such-program or nor-this: install the package some-package",
                "needs the Python module no_such_module: install the package python3-none",
                "needs the file /usr/share/no-such-file: install the package data",
            ])
    }

    @Test func `is not met by what lies where no job sees it, or cannot be executed`() throws {
        let scratch = try Scratch()
        try scratch.write("bin/hidden", "#!/bin/sh\n", mode: 0o755)
        try scratch.write("bin/sheet", "", mode: 0o644)
        func look(_ name: String) throws -> String? {
            try requirements(
                ["programs": [["name": .string(name), "package": "some-package"]]],
                environment: ["PATH": .string(scratch.path + "/bin")]
            ).first?.missing()
        }
        let hidden = try #require(try look("hidden"))
        #expect(hidden.contains("leads to \(scratch.path)/bin/hidden, which no job sees"), "\(hidden)")
        #expect(try look("sheet") == "needs sheet: install the package some-package")
    }
}
