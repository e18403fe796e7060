import DomeCatalog
import DomeModel
import DomePlatform
import Testing

@Suite struct `Versions of a tool` {
    @Test func `are in the order of semver`() {
        // semver.org, section 11, and numbers of any length.
        let order = [
            "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11",
            "1.0.0-rc.1",
            "1.0.0", "1.0.1", "1.10.0", "2.0.0", "99999999999999999999999.0.0", "100000000000000000000000.0.0",
        ]
        for (lower, higher) in zip(order, order.dropFirst()) {
            #expect(SemanticVersion(lower) < SemanticVersion(higher), "\(lower) \(higher)")
            #expect(!(SemanticVersion(higher) < SemanticVersion(lower)), "\(lower) \(higher)")
        }
        #expect(!(SemanticVersion("1.0.0+a") < SemanticVersion("1.0.0+b")))
    }

    private func writeVersion(
        _ scratch: Scratch, _ folder: String, _ version: String, changes: [(String, JSONValue?)] = []
    ) throws {
        let id = String(folder.prefix { $0 != "@" })
        let path = "registry/tools/\(folder)"
        let members: [(String, JSONValue?)] = [("tool_id", .string(id)), ("version", .string(version))]
        try scratch.write("\(path)/tool.json", manifestDocument(members + changes).indented)
        try scratch.write("\(path)/input.schema.json", #"{"type":"object"}"#)
    }

    @Test func `lie side by side, and the id stands for the best of them`() throws {
        let scratch = try Scratch()
        try writeVersion(scratch, "a.b@1.2.0", "1.2.0")
        try writeVersion(scratch, "a.b@1.10.0", "1.10.0")
        try writeVersion(scratch, "a.b@2.0.0-rc.1", "2.0.0-rc.1")
        try writeVersion(scratch, "a.b@1.11.0", "1.11.0", changes: [("deprecated", "Use 1.10.0.")])
        let catalog = Catalog(searchPath: [scratch.path + "/registry"])
        let snapshot = catalog.snapshot
        #expect(snapshot.problems.isEmpty, "\(snapshot.problems)")
        #expect(snapshot.tools.map(\.manifest.version) == ["1.10.0"])
        #expect(
            snapshot.versions(of: "a.b").map(\.manifest.version) == ["2.0.0-rc.1", "1.11.0", "1.10.0", "1.2.0"])
        #expect(snapshot[id: "a.b@1.2.0"]?.manifest.version == "1.2.0")
        #expect(refusal { _ = try snapshot.tool("a.b@3.0.0") }.contains("its versions are 2.0.0-rc.1, 1.11.0, 1.10.0"))
        // A folder without a version is what the id stands for, whatever its version.
        try writeVersion(scratch, "a.b", "0.9.0")
        #expect(catalog.reloadIfChanged())
        #expect(catalog.snapshot[id: "a.b"]?.manifest.version == "0.9.0")
        #expect(catalog.snapshot[id: "a.b@1.10.0"] != nil)
    }

    @Test func `that are not what the folder says, or are there twice, are left out by name`() throws {
        let scratch = try Scratch()
        try writeVersion(scratch, "a.b@1.0.0", "1.0.1")
        try writeVersion(scratch, "a.c", "1.0.0")
        try writeVersion(scratch, "a.c@1.0.0", "1.0.0")
        let snapshot = Catalog(searchPath: [scratch.path + "/registry"]).snapshot
        #expect(snapshot.tools.map(\.manifest.id) == ["a.c"])
        let reasons = snapshot.problems.map(\.reason)
        #expect(reasons.contains { $0.contains("it must be a.b or a.b@1.0.1") }, "\(reasons)")
        #expect(reasons.contains { $0.contains("version 1.0.0 is in \(scratch.path)/registry/tools/a.c already") })
    }

    @Test func `change alone, and the rest of the snapshot stays as it is`() throws {
        let scratch = try Scratch()
        for id in ["a.a", "a.b", "a.c"] { try writeTool(scratch, id) }
        let catalog = Catalog(searchPath: [scratch.path + "/registry"])
        let before = catalog.snapshot
        try writeTool(scratch, "a.b", changes: [("title", "Another")])
        #expect(catalog.reloadIfChanged())
        let now = catalog.snapshot
        #expect(now[id: "a.a"] === before[id: "a.a"] && now[id: "a.c"] === before[id: "a.c"])
        #expect(now.changes(since: before).map(\.id) == ["a.b"])
        #expect(now.changes(since: now).isEmpty)
        try Files.removeTree(scratch.path + "/registry/tools/a.a")
        try writeTool(scratch, "a.d")
        #expect(catalog.reloadIfChanged())
        let changes = catalog.snapshot.changes(since: now)
        #expect(changes.map(\.id) == ["a.a", "a.d"])
        #expect(changes.map { $0.now == nil } == [true, false])
        // Written again as it was, in another layout: read, and no change to tell of.
        let last = catalog.snapshot
        try scratch.write("registry/tools/a.d/tool.json", manifestDocument([("tool_id", "a.d")]).compact)
        #expect(catalog.reloadIfChanged())
        #expect(catalog.snapshot[id: "a.d"] !== last[id: "a.d"] && catalog.snapshot.changes(since: last).isEmpty)
    }
}

@Suite struct `A registry that changes` {
    @Test func `is noticed where it did not exist, was replaced, or is reached by a link`() throws {
        let scratch = try Scratch()
        let catalog = Catalog(searchPath: [scratch.path + "/registry"])
        #expect(catalog.snapshot.tools.isEmpty)
        #expect(!catalog.reloadIfChanged())
        try writeTool(scratch, "a.a")
        #expect(catalog.reloadIfChanged())
        #expect(catalog.snapshot.tools.count == 1)
        // The whole folder replaced by another.
        try writeTool(scratch, "a.b", registry: "other")
        try Files.rename(scratch.path + "/registry", to: scratch.path + "/old")
        try Files.rename(scratch.path + "/other", to: scratch.path + "/registry")
        #expect(catalog.reloadIfChanged())
        #expect(catalog.snapshot.tools.map(\.manifest.id) == ["a.b"])
    }

    @Test func `is noticed through a link, which the kernel does not tell of`() throws {
        let scratch = try Scratch()
        try writeTool(scratch, "a.a", changes: [("files", ["run.sh"])])
        try scratch.write("registry/kit/run.sh", "one")
        try scratch.link("registry/tools/a.a/run.sh", to: scratch.path + "/registry/kit/run.sh")
        let catalog = Catalog(searchPath: [scratch.path + "/registry"])
        let before = try catalog.snapshot.tool("a.a").hashes
        #expect(!catalog.reloadIfChanged())
        try scratch.write("registry/kit/run.sh", "another")
        #expect(catalog.reloadIfChanged())
        #expect(try catalog.snapshot.tool("a.a").hashes != before)
    }

    @Test func `is refused where every user may write`() throws {
        let scratch = try Scratch()
        try writeTool(scratch, "a.a")
        try scratch.setMode("registry/tools", 0o777)
        let snapshot = Catalog(searchPath: [scratch.path + "/registry"]).snapshot
        #expect(snapshot.tools.isEmpty)
        #expect(snapshot.problems.first?.reason.contains("chmod o-w") == true)
        // Also while it is being watched, and back.
        let catalog = Catalog(searchPath: [scratch.path + "/registry"])
        try scratch.setMode("registry/tools", 0o755)
        #expect(catalog.reloadIfChanged() && catalog.snapshot.tools.count == 1 && catalog.snapshot.problems.isEmpty)
        try scratch.setMode("registry/tools", 0o777)
        #expect(catalog.reloadIfChanged() && catalog.snapshot.tools.isEmpty)
    }
}
