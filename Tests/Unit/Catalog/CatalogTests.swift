import DomeCatalog
import DomeModel
import DomePlatform
import DomeSchema
import Glibc
import Testing

@Suite struct `The catalog` {
    @Test func `lists tools by id, whatever the disk's order`() throws {
        let scratch = try Scratch()
        for id in ["zeta", "alpha", "m.id"] { try writeTool(scratch, id) }
        let snapshot = Catalog(searchPath: [scratch.path + "/registry"]).snapshot
        #expect(snapshot.tools.map(\.manifest.id) == ["alpha", "m.id", "zeta"])
        #expect(snapshot.problems.isEmpty)
        #expect(snapshot[id: "alpha"]?.manifest.title == "A tool")
        #expect(refusal { _ = try snapshot.tool("nope") } == "tool not found: nope")
    }

    @Test func `leaves a broken tool out, says why, and keeps the rest`() throws {
        let scratch = try Scratch()
        for id in ["good", "corrupt", "typo", "noschema", "badschema", "renamed", "open", "fileless"] {
            try writeTool(scratch, id)
        }
        let tools = "registry/tools/"
        try scratch.write(tools + "corrupt/tool.json", "{\"tool_id\": \u{1}")
        try scratch.write(tools + "typo/tool.json", manifestDocument([("tool_id", "typo"), ("limit", 1)]).compact)
        unlink(scratch.path + "/" + tools + "noschema/input.schema.json")
        try scratch.write(tools + "badschema/input.schema.json", #"{"propertys":{}}"#)
        try scratch.write(tools + "renamed/tool.json", manifestDocument([("tool_id", "good")]).compact)
        chmod(scratch.path + "/" + tools + "open/tool.json", 0o666)
        try scratch.write(
            tools + "fileless/tool.json", manifestDocument([("tool_id", "fileless"), ("files", ["run.sh"])]).compact)
        try scratch.write("registry/tools/.git/x", "")
        try scratch.write("registry/tools/README", "no folder")
        let snapshot = Catalog(searchPath: [scratch.path + "/registry"]).snapshot
        #expect(snapshot.tools.map(\.manifest.id) == ["good"])
        let reasons = Dictionary(
            uniqueKeysWithValues: snapshot.problems.map { problem in
                (String(problem.path.split(separator: "/").last ?? ""), problem.reason)
            })
        #expect(reasons.keys.sorted() == ["badschema", "corrupt", "fileless", "noschema", "open", "renamed", "typo"])
        #expect(reasons["corrupt"]?.contains("line 1") == true)
        #expect(reasons["typo"]?.contains("\"limit\"") == true)
        #expect(reasons["noschema"]?.contains("input.schema.json") == true)
        #expect(reasons["badschema"]?.contains("propertys") == true)
        #expect(reasons["renamed"]?.contains("another name") == true)
        #expect(reasons["open"]?.contains("chmod") == true)
        #expect(reasons["fileless"]?.contains("run.sh") == true)
        #expect(refusal { _ = try snapshot.tool("typo") }.contains("tool not found: typo (its folder was left out"))
    }

    @Test func `takes nothing that others may write, that is no file, or is too large`() throws {
        let scratch = try Scratch()
        let large = String(repeating: "x", count: 700 << 10)
        let files: [String: [String]] = [
            "open": [], "device": ["run.sh"], "large": ["a", "b"], "wide": [], "good": ["a"],
        ]
        for (id, names) in files {
            try writeTool(scratch, id, changes: [("files", .array(names.map { .string($0) }))])
            for name in names where id != "device" { try scratch.write("registry/tools/\(id)/\(name)", large) }
        }
        try scratch.setMode("registry/tools/open", 0o777)
        try scratch.write("registry/tools/device/run.sh/x", "")
        try scratch.write("registry/tools/wide/input.schema.json", "{\"title\":\"\(large)\(large)\"}")
        let snapshot = Catalog(searchPath: [scratch.path + "/registry"]).snapshot
        #expect(snapshot.tools.map(\.manifest.id) == ["good"])
        let reasons = snapshot.problems.map(\.reason)
        #expect(reasons.count == 4 && snapshot.problems.map(\.path) == snapshot.problems.map(\.path).sorted())
        for (reason, word) in zip(reasons, ["no regular file", "b", "chmod o-w", "input.schema.json"]) {
            #expect(reason.contains(word), "\(reasons)")
        }
    }

    @Test func `takes the first folder's tool and reports the hidden one`() throws {
        let scratch = try Scratch()
        try writeTool(scratch, "twice", registry: "one", changes: [("version", "2.0.0")])
        try writeTool(scratch, "twice", registry: "two")
        try writeTool(scratch, "only", registry: "two")
        let catalog = Catalog(searchPath: ["one", "missing", "two", "one"].map { scratch.path + "/" + $0 })
        #expect(catalog.snapshot[id: "twice"]?.manifest.version == "2.0.0")
        #expect(catalog.snapshot.tools.count == 2)
        #expect(catalog.snapshot.shadowed.map(\.id) == ["twice"])
        #expect(catalog.snapshot.shadowed.first?.path == scratch.path + "/two/tools/twice")
    }

    @Test func `reads again when a file changes, and whoever holds the old snapshot keeps it`() throws {
        let scratch = try Scratch()
        try writeTool(scratch, "a")
        let catalog = Catalog(searchPath: [scratch.path + "/registry"])
        let old = catalog.snapshot
        #expect(!catalog.reloadIfChanged())
        try writeTool(scratch, "a", changes: [("title", "Another")])
        try writeTool(scratch, "b")
        #expect(catalog.reloadIfChanged())
        #expect(!catalog.reloadIfChanged())
        #expect(catalog.snapshot.tools.map(\.manifest.title) == ["Another", "A tool"])
        #expect(old.tools.map(\.manifest.title) == ["A tool"])
        try Files.removeTree(scratch.path + "/registry/tools/a")
        #expect(catalog.reloadIfChanged())
        #expect(catalog.snapshot[id: "a"] == nil)
    }

    @Test func `hashes what counts and not how it is laid out`() throws {
        let scratch = try Scratch()
        func hashes(_ text: String, script: String = "echo") throws -> ToolHashes {
            try scratch.write("registry/tools/a.tool/tool.json", text)
            try scratch.write("registry/tools/a.tool/run.sh", script)
            return try #require(Catalog(searchPath: [scratch.path + "/registry"]).snapshot[id: "a.tool"]).hashes
        }
        try writeTool(scratch, "a.tool")
        let document = manifestDocument([("files", ["run.sh"])])
        let first = try hashes(document.compact)
        #expect(first.manifest.utf8.count == 64)
        #expect(try hashes(document.indented) == first)
        #expect(try hashes(manifestDocument([("files", ["run.sh"]), ("title", "B")]).compact) != first)
        let other = try hashes(document.compact, script: "echo 2")
        #expect(other.manifest == first.manifest)
        #expect(other.material != first.material)
    }

    @Test func `searches the folders in the documented order`() throws {
        let directories = try Directories { ["HOME": "/home/x", "XDG_DATA_HOME": "/data"][$0] }
        let path = Catalog.searchPath(
            directories: directories, executableDirectory: "/opt/bin", registryPath: "/one:relative:/two")
        #expect(
            path == [
                "/one", "relative", "/two", "/home/x/.config/dome/registry", "/data/dome/registry",
                "/etc/dome/registry",
                "/opt/bin/../share/dome/registry",
            ])
    }
}

@Suite struct `The shipped registry` {
    static let folder = String(#filePath.dropLast("/Tests/Unit/Catalog/CatalogTests.swift".count)) + "/Registry"

    @Test func `loads whole`() throws {
        let snapshot = Catalog(searchPath: [Self.folder]).snapshot
        #expect(snapshot.problems.isEmpty, "\(snapshot.problems)")
        #expect(
            snapshot.tools.map(\.manifest.id) == [
                "archive.list", "build.test", "data.crc32", "doc.text", "domed.exec-probe", "fs.list", "fs.read",
                "fs.write", "git.diff", "git.log", "git.status", "image.info", "job.fail", "job.log", "job.noop",
                "json.query", "math.lgamma", "patch.apply", "python.run", "shell.run", "skill-execute", "text.search",
                "web.fetch", "web.read",
            ])
    }

    @Test func `has manifests that fit their schema, and the schema refuses what the reader refuses`() throws {
        let text = String(
            decoding: try Files.read(Self.folder + "/schema/tool.schema.json", limitBytes: 1 << 20), as: UTF8.self)
        let schema = try JSONSchema.compile(try json(text), what: "tool.schema.json")
        for tool in Catalog(searchPath: [Self.folder]).snapshot.tools {
            #expect(schema.validate(tool.manifestDocument).isEmpty, "\(tool.manifest.id)")
        }
        let whole = manifestDocument([
            ("requires", ["programs": [["name": "g++", "or": ["c++"], "package": "g++"]]]), ("deprecated", "Use b."),
            ("annotations", ["read_only": true, "idempotent": true]),
            ("examples", [["title": "All", "task": [:], "grants": ["fs.read:/a"]]]),
        ])
        #expect(throws: Never.self) { try ToolManifest(whole, what: "tool.json") }
        #expect(schema.validate(manifestDocument()).isEmpty && schema.validate(whole).isEmpty)
        for (name, value) in [
            ("limit", 1), ("tool_id", "A"), ("permissions", ["root"]), ("files", ["../x"]), ("stdin", "x"),
            ("limits", ["wall_seconds": 0]), ("title", "\u{1b}"), ("executor", nil), ("environment", ["DOMED_X": "1"]),
            ("diagnostic", "noop"), ("version", "1.0"), ("output", "json"), ("requires", ["programs": ["git"]]),
            ("requires", ["python": [["name": "a..b", "package": "python3-a"]]]),
            ("requires", ["files": [["name": "/etc/x", "package": "x1"]]]), ("examples", [["task": 1]]),
            ("annotations", ["readOnly": true]), ("deprecated", ""),
        ] as [(String, JSONValue?)] {
            let document = manifestDocument([(name, value)])
            #expect(!schema.validate(document).isEmpty, "\(name)")
            _ = refusal { _ = try ToolManifest(document, what: "tool.json") }
        }
    }

    @Test(arguments: [
        ("shell.run", #"{"argv":["ls"]}"#, true), ("shell.run", #"{"script":"ls","stdin":"x"}"#, true),
        ("shell.run", "{}", false),
        ("shell.run", #"{"argv":["ls"],"script":"ls"}"#, false), ("shell.run", #"{"argv":[]}"#, false),
        ("shell.run", #"{"argv":"ls"}"#, false),
        ("job.log", #"{"lines":["a"]}"#, true), ("job.log", #"{"lines":[1]}"#, false),
        ("job.noop", #"{"any":1}"#, true), ("job.noop", "[]", false),
        ("git.log", #"{"repository":"/r","revision":"--output=/x"}"#, false),
        ("git.log", #"{"repository":"r"}"#, false),
        ("domed.exec-probe", #"{"stdout":["a"],"stderr":[],"progress":[1,2.5],"exit_code":3}"#, true),
        ("domed.exec-probe", #"{"exit_code":256}"#, false),
        ("text.search", #"{"pattern":"a","path":"/x"}"#, true),
        ("text.search", #"{"pattern":"a\nb","path":"/x"}"#, false),
    ]) func `judges tasks`(_ id: String, _ task: String, _ isValid: Bool) throws {
        let tool = try Catalog(searchPath: [Self.folder]).snapshot.tool(id)
        if isValid {
            try tool.checkTask(JSONTree(try json(task)))
        } else {
            #expect(
                refusal { try tool.checkTask(JSONTree(try json(task))) }.contains(
                    "does not fit the input schema of \(id)"))
        }
    }
}
