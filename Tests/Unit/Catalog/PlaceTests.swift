import DomeCatalog
import DomeModel
import Testing

@Suite struct `Where tools lie` {
    private func reason(_ snapshot: CatalogSnapshot, _ name: String) -> String {
        snapshot.problems.first { $0.path.hasSuffix("/" + name) }?.reason ?? ""
    }

    @Test func `a link among a tool's files leads to the registry's tools and kit, and nowhere else`() throws {
        let scratch = try Scratch()
        let tools = "registry/tools/"
        for id in ["a.kit", "b.other", "c.key", "d.schema", "e.nowhere", "f.manifest"] {
            let files: [(String, JSONValue?)] = "abce".contains(id.prefix(1)) ? [("files", ["run.sh"])] : []
            try writeTool(scratch, id, changes: files)
        }
        try scratch.write("registry/kit/run.sh", "shared")
        try scratch.write("key", "secret")
        try scratch.write("true.json", "true")
        try scratch.link(tools + "a.kit/run.sh", to: "../../kit/run.sh")
        try scratch.link(tools + "b.other/run.sh", to: "../a.kit/run.sh")
        try scratch.link(tools + "c.key/run.sh", to: scratch.path + "/key")
        try scratch.link(tools + "e.nowhere/run.sh", to: "nothing")
        // What is a schema, or a manifest, would be shown to whoever asks about the tool.
        try scratch.remove(tools + "d.schema/input.schema.json")
        try scratch.link(tools + "d.schema/input.schema.json", to: "../../../true.json")
        try scratch.write("f.json", manifestDocument([("tool_id", "f.manifest")]).compact)
        try scratch.remove(tools + "f.manifest/tool.json")
        try scratch.link(tools + "f.manifest/tool.json", to: "../../../f.json")
        let snapshot = Catalog(searchPath: [scratch.path + "/registry"]).snapshot
        #expect(snapshot.tools.map(\.manifest.id) == ["a.kit", "b.other"])
        #expect(snapshot.tools.map { $0.files.map(\.bytes) } == [[Array("shared".utf8)], [Array("shared".utf8)]])
        for (name, file, target) in [
            ("c.key", "run.sh", "key"), ("d.schema", "input.schema.json", "true.json"),
            ("f.manifest", "tool.json", "f.json"),
        ] {
            let expected = "\(file) is a link that leads to \(scratch.path)/\(target), which every job"
            #expect(reason(snapshot, name).hasPrefix(expected), "\(reason(snapshot, name))")
        }
        #expect(reason(snapshot, "e.nowhere").hasPrefix("run.sh is a link that leads nowhere"))
    }

    @Test func `a shared folder that everybody can write is refused`() throws {
        let scratch = try Scratch()
        try writeTool(scratch, "a.kit", changes: [("files", ["run.sh"])])
        try scratch.write("registry/kit/run.sh", "shared")
        try scratch.link("registry/tools/a.kit/run.sh", to: "../../kit/run.sh")
        try scratch.setMode("registry/kit", 0o777)
        let snapshot = Catalog(searchPath: [scratch.path + "/registry"]).snapshot
        #expect(snapshot.tools.isEmpty && reason(snapshot, "a.kit").contains("/registry/kit is writable by every user"))
    }

    @Test func `a relative place is a problem, and nobody looks there`() throws {
        let scratch = try Scratch()
        try writeTool(scratch, "a")
        let catalog = Catalog(searchPath: ["some/registry", scratch.path + "/registry"])
        #expect(catalog.snapshot.tools.map(\.manifest.id) == ["a"])
        #expect(catalog.snapshot.problems.map(\.reason).first?.hasPrefix("\"some/registry\" is not absolute") == true)
        #expect(!catalog.reloadIfChanged())
    }

    @Test func `a change is seen below a folder whose name is not ASCII`() throws {
        let scratch = try Scratch()
        try writeTool(scratch, "some.tool", registry: "Zürich/registry")
        let catalog = Catalog(searchPath: [scratch.path + "/Zürich/registry"])
        for title in ["First", "Second"] {
            try writeTool(scratch, "some.tool", registry: "Zürich/registry", changes: [("title", .string(title))])
            #expect(catalog.reloadIfChanged())
            #expect(catalog.snapshot.tools.map(\.manifest.title) == [title])
        }
    }

    @Test func `a registry in another's tool stays a registry of its own`() throws {
        let scratch = try Scratch()
        try writeTool(scratch, "outer")
        try writeTool(scratch, "inner", registry: "registry/tools/outer")
        let catalog = Catalog(searchPath: ["registry", "registry/tools/outer"].map { scratch.path + "/" + $0 })
        try writeTool(scratch, "inner", registry: "registry/tools/outer", changes: [("title", "Changed")])
        #expect(catalog.reloadIfChanged())
        #expect(catalog.snapshot.tools.map(\.manifest.id) == ["inner", "outer"])
        #expect(catalog.snapshot.tools.map(\.manifest.title) == ["Changed", "A tool"])
    }

    @Test func `why no version of a tool can be read is said to whoever asks for it`() throws {
        let scratch = try Scratch()
        try scratch.write("registry/tools/some.tool@1.0.0/tool.json", "{")
        let snapshot = Catalog(searchPath: [scratch.path + "/registry"]).snapshot
        for id in ["some.tool", "some.tool@2.0.0"] {
            let text = refusal { _ = try snapshot.tool(id) }
            #expect(
                text.hasPrefix("tool not found: \(id) (") && text.contains("some.tool@1.0.0 was left out: tool.json"))
        }
        #expect(refusal { _ = try snapshot.tool("some") } == "tool not found: some")
    }
}
