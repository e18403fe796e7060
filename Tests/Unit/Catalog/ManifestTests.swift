import DomeCatalog
import DomeModel
import Testing

@Suite struct `A manifest` {
    @Test func `is read with all that it may say`() throws {
        let manifest = try ToolManifest(
            manifestDocument([
                ("permissions", ["fs.read:*", "env:LANG", "net.loopback"]), ("optional_permissions", ["net.full"]),
                (
                    "limits",
                    ["wall_seconds": 2, "grace_seconds": 0, "pids": 7, "memory_bytes": 1_048_576, "line_bytes": 64]
                ),
                ("environment", ["A": "b"]), ("files", ["run.sh"]), ("stdin", "task"), ("tty", true),
                ("x-note", ["anything": 1]), ("sandbox", "default"),
            ]), what: "tool.json")
        #expect(manifest.permissions == [.readPath(nil), .environment("LANG"), .networkLoopback])
        #expect(manifest.permissionTexts == ["fs.read:*", "env:LANG", "net.loopback", "optional:net.full"])
        #expect(manifest.limits.wallMilliseconds == 2000)
        #expect(manifest.limits.graceMilliseconds == 0)
        #expect(manifest.limits.processes == 7)
        #expect(manifest.limits.cpuSeconds == Limits().cpuSeconds)
        #expect(manifest.environment.map(\.name) == ["A"])
        #expect(manifest.files == ["run.sh"])
        #expect(manifest.standardInput == .task)
        #expect(manifest.usesTerminal)
        #expect(manifest.executorBackend == "dome.local-process")
        guard case .executor(_, let entrypoint) = manifest.execution else {
            Issue.record("no executor")
            return
        }
        #expect(entrypoint["argv"] == ["/bin/true"])
    }

    @Test func `of a diagnostic needs no executor`() throws {
        let manifest = try ToolManifest(
            manifestDocument([("executor", nil), ("entrypoint", nil), ("diagnostic", "fail")]), what: "tool.json")
        #expect(manifest.execution == .diagnostic(.fail))
    }

    @Test(
        arguments: [
            ("permission", ["fs.read:*"], "unknown member \"permission\""), ("tool_id", "Has.Upper", "tool_id"),
            ("tool_id", "../x", "tool_id"), ("tool_id", "a..b", "tool_id"), ("tool_id", ".a", "tool_id"),
            ("tool_id", "", "tool_id"),
            ("tool_id", 7, "tool_id"), ("version", "1.0", "version"), ("version", "01.0.0", "version"),
            ("version", "1.0.0-01", "version"),
            ("version", "1.0.0-", "version"), ("title", "a\u{1b}[31mb", "control"), ("title", "two\nlines", "control"),
            ("title", "\u{9b}x", "control"), ("short_description", "", "short_description"),
            ("permissions", ["fs.read:rel"], "permissions"),
            ("permissions", ["fs.read:/a/../b"], "permissions"), ("permissions", ["root"], "unknown permission"),
            ("permissions", ["unix", "unix"], "twice"), ("permissions", "unix", "permissions"),
            ("permissions", [7], "permissions[0]"),
            ("optional_permissions", ["env:1A"], "optional_permissions"),
            ("limits", ["wall_second": 1], "unknown member \"wall_second\""),
            ("limits", ["wall_seconds": 0], "wall_seconds"), ("limits", ["wall_seconds": -1], "wall_seconds"),
            ("limits", ["wall_seconds": "1"], "wall_seconds"), ("limits", ["pids": 9_223_372_036_854_775_807], "pids"),
            ("limits", ["memory_bytes": 1], "memory_bytes"), ("environment", ["DOMED_JOB_ID": "x"], "DOMED_JOB_ID"),
            ("environment", ["A B": "x"], "A B"), ("environment", ["A": 7], "environment: A"),
            ("environment", ["A": "x\0y"], "NUL"),
            ("files", ["../../etc/passwd"], "files"), ("files", ["/etc/passwd"], "files"),
            ("files", [".hidden"], "files"),
            ("files", ["tool.json"], "files"), ("files", ["a", "a"], "files"), ("files", ["-rf"], "files"),
            ("stdin", "yes", "\"none\", \"task\""),
            ("tty", "yes", "tty"), ("sandbox", "none", "sandbox"), ("executor", "nodot", "executor"),
            ("executor", 1, "executor"),
            ("diagnostic", "noop", "excludes"), ("diagnostic", "boom", "\"noop\", \"log\", \"fail\""),
            ("entrypoint", ["argv": []], "argv"),
            ("entrypoint", ["argv": ["${task.program}"]], "fixed text"),
            ("entrypoint", ["argv": ["a"], "argv_from_task": true], "either"),
            ("entrypoint", [:], "either"), ("entrypoint", ["argv": ["a"], "shell": true], "unknown member \"shell\""),
            ("entrypoint", ["argv": ["a"], "cwd": "rel"], "cwd"), ("entrypoint", "x", "entrypoint"),
            ("kind", .null, "kind"),
        ] as [(String, JSONValue, String)]) func `is refused with the member's name`(
            _ member: String, _ value: JSONValue, _ fragment: String
        )
    {
        let message = refusal { _ = try ToolManifest(manifestDocument([(member, value)]), what: "tool.json") }
        #expect(message.hasPrefix("tool.json"))
        #expect(message.contains(fragment), "\(message)")
    }

    @Test(arguments: [
        "tool_id", "version", "title", "short_description", "description", "kind", "executor", "entrypoint",
    ])
    func `is refused without a required member`(_ member: String) {
        let message = refusal { _ = try ToolManifest(manifestDocument([(member, nil)]), what: "tool.json") }
        #expect(message.contains(member), "\(message)")
    }

    @Test func `that is no object is refused`() {
        #expect(refusal { _ = try ToolManifest([], what: "tool.json") }.contains("object"))
    }

    @Test func `with a foreign member's name full of escapes cannot drive a terminal`() {
        let message = refusal { _ = try ToolManifest(manifestDocument([("\u{1b}[2J", 1)]), what: "t") }
        #expect(!message.contains("\u{1b}"))
    }
}
