import DomeCatalog
import DomeModel
import DomePlatform
import Testing

@Suite struct `Searching tools` {
    private func index(_ scratch: Scratch) -> (ToolIndex, Catalog) {
        let catalog = Catalog(searchPath: [scratch.path + "/registry"])
        let index = ToolIndex()
        index.update(catalog.snapshot)
        return (index, catalog)
    }

    private func write(_ scratch: Scratch, _ id: String, _ title: String, _ short: String, _ input: String = "{}")
        throws
    {
        try writeTool(
            scratch, id, changes: [("title", .string(title)), ("short_description", .string(short))], input: input)
    }

    private func shop() throws -> Scratch {
        let scratch = try Scratch()
        try write(scratch, "web.read", "Read a web page", "Fetches a page and writes its readable text and links.")
        try write(scratch, "text.search", "Search text", "Finds lines that match a regular expression.")
        try write(scratch, "git.log", "List commits", "Lists the commits of a repository.")
        try write(
            scratch, "image.info", "Describe an image", "Tells size and format.",
            #"{"type":"object","properties":{"maxPixels":{"type":"integer","description":"x"}}}"#)
        return scratch
    }

    @Test(arguments: [
        ("read a web page", "web.read"), ("commit", "git.log"), ("Searching", "text.search"), ("repo", "git.log"),
        ("pixels", "image.info"), ("MATCHES", "text.search"), ("web.read", "web.read"), ("list git commits", "git.log"),
    ]) func `finds the best first`(_ words: String, _ id: String) throws {
        let scratch = try shop()
        let (index, _) = index(scratch)
        #expect(index.best(words, limit: 10).tools.first?.manifest.id == id)
    }

    @Test func `finds nothing for words that no tool has, and all for no words`() throws {
        let scratch = try shop()
        let (index, _) = index(scratch)
        #expect(index.best("zebra", limit: 10).total == 0)
        #expect(index.best(" .,; ", limit: 10).total == 4)
        #expect(index.best("", offset: 1, limit: 2).tools.map(\.manifest.id) == ["image.info", "text.search"])
        // Nothing but idle words: then they count.
        #expect(index.best("a", limit: 10).total == 3)
        #expect(index.best(String(repeating: "web ", count: 10_000), limit: 1).tools.first?.manifest.id == "web.read")
        #expect(index.best("web\u{0}\u{fffd}🙂 ' \" ) OR * NEAR", limit: 1).tools.first?.manifest.id == "web.read")
    }

    @Test func `follows the registry, and puts what is deprecated last`() throws {
        let scratch = try shop()
        let (index, catalog) = index(scratch)
        try write(scratch, "web.look", "Read a web page", "Fetches a page and writes its readable text and links.")
        #expect(catalog.reloadIfChanged())
        index.update(catalog.snapshot)
        #expect(Set(index.best("web page", limit: 2).tools.map(\.manifest.id)) == ["web.look", "web.read"])
        for round in 0..<100 {
            try writeTool(
                scratch, "web.read",
                changes: [("title", .string("Read \(round)")), ("deprecated", "Use web.look instead.")])
            #expect(catalog.reloadIfChanged())
            index.update(catalog.snapshot)
        }
        #expect(index.best("web read", limit: 2).tools.map(\.manifest.id) == ["web.look", "web.read"])
        #expect(index.best("98", limit: 2).total == 0)
        #expect(index.best("99", limit: 2).tools.map(\.manifest.id) == ["web.read"])
        try Files.removeTree(scratch.path + "/registry/tools/web.look")
        #expect(catalog.reloadIfChanged())
        index.update(catalog.snapshot)
        #expect(index.best("web", limit: 10).tools.map(\.manifest.id) == ["web.read"])
    }
}
