import DomeCatalog
import DomeModel
import DomePlatform
import Testing

@Suite struct `A tool's pin` {
    private static let object = #"{"type":"object"}"#

    /// The tool `a.tool` with these files beside tool.json; nil: it is not there.
    private func tool(
        _ changes: [(String, JSONValue?)] = [], input: String = Self.object, output: String? = Self.object,
        files: [(name: String, text: String)] = [("run.sh", "one"), ("more.sh", "two")]
    ) throws -> Tool {
        let scratch = try Scratch()
        let names = JSONValue.array(files.map { .string($0.name) })
        try writeTool(scratch, "a.tool", changes: [("files", names)] + changes, input: input)
        if let output { try scratch.write("registry/tools/a.tool/output.schema.json", output) }
        for (name, text) in files { try scratch.write("registry/tools/a.tool/\(name)", text) }
        return try Catalog(searchPath: [scratch.path + "/registry"]).snapshot.tool("a.tool")
    }

    private func pin(_ tool: Tool) -> ToolPin { ToolPin(tool, daemonVersion: "1.2.3") }

    @Test func `holds every part of a tool, each by itself`() throws {
        let pin = try pin(tool())
        #expect(try pin.differences(tool()).isEmpty)
        let integer = #"{"type":"integer"}"#
        let others: [(tool: Tool, lines: [String])] = [
            (try tool([("title", "B")]), [#"tool.json /title: "A tool" → "B""#]),
            (try tool(input: integer), [#"input.schema.json /type: "object" → "integer""#]),
            (try tool(output: integer), [#"output.schema.json /type: "object" → "integer""#]),
            (try tool(files: [("run.sh", "one"), ("more.sh", "2")]), ["file more.sh: SHA-256 "]),
        ]
        for (tool, lines) in others {
            let found = pin.differences(tool)
            #expect(found.count == lines.count && zip(found, lines).allSatisfy { $0.hasPrefix($1) }, "\(found)")
            #expect(tool.hashes.material != pin.material)
        }
    }

    @Test func `says which files are new, gone, or another's now`() throws {
        let pin = try pin(tool())
        #expect(
            try pin.differences(tool(files: [("run.sh", "one"), ("less.sh", "two")])) == [
                #"tool.json /files/1: "more.sh" → "less.sh""#, "file less.sh: is new", "file more.sh: is gone",
            ])
        // The same names and the same contents: who is who is another matter.
        let exchanged = try tool(files: [("run.sh", "two"), ("more.sh", "one")])
        #expect(exchanged.hashes.material != pin.material)
        #expect(pin.differences(exchanged).count == 2)
        let withoutOutput = pin.differences(try tool(output: nil))
        #expect(withoutOutput.count == 1 && withoutOutput.first?.hasPrefix("output.schema.json") == true)
    }

    @Test func `lists as many differences as anybody reads, and counts the rest`() throws {
        var many = JSONObject()
        for number in 0..<40 { many["x-\(number)"] = .integer(Int64(number)) }
        let lines = try pin(tool()).differences(tool(many.members.map { ($0.key, $0.value) }))
        #expect(lines.count == 33)
        #expect(lines.last == "and 8 more")
    }

    @Test func `is the same when it was written and read`() throws {
        let first = try tool()
        let read = try ToolPin(try json(pin(first).document.indented), what: "pin")
        #expect(read.name == "a.tool" && read.material == first.hashes.material && read.daemonVersion == "1.2.3")
        #expect(read.differences(first).isEmpty)
        let second = try tool([("title", "B")], output: nil, files: [("run.sh", "2")])
        #expect(read.differences(second) == pin(first).differences(second))
        #expect(read.document == pin(first).document)
    }

    @Test(arguments: ["name", "material_sha256", "dome_version", "manifest", "input_schema"])
    func `that lacks something is none`(_ member: String) throws {
        var object = try #require(try pin(tool()).document.objectValue)
        object[member] = nil
        let message = refusal { _ = try ToolPin(.object(object), what: "a.tool.json") }
        #expect(message.contains("a.tool.json: ") && message.contains("\"\(member)\""), "\(message)")
    }
}
