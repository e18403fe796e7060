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

    @Test(arguments: [
        ("über", "a"), ("ÜBER", "a"), ("U\u{308}BER", "a"), ("Straße", "a"), ("“page”", "b"), ("page – text", "b"),
        ("網頁", "c"), ("頁", "c"), ("ページ", "c"), ("МОСКВА", "d"), ("maxTimeout", "e"), ("this", "f"),
    ]) func `knows words of other languages, typographic marks and words written together`(
        _ words: String, _ id: String
    ) throws {
        let scratch = try Scratch()
        try write(scratch, "a", "Wege Über die Straße", "Zeigt sie.")
        try write(scratch, "b", "Shows a “page”—as text", "Shows.")
        try write(scratch, "c", "読む網頁とページ", "...")
        try write(scratch, "d", "Карта Москвы и москва", "...")
        try write(scratch, "e", "Wait", "Waits.", #"{"properties":{"max_timeout":{"type":"integer"}}}"#)
        try write(scratch, "f", "Does this", "Does.")
        let (index, _) = index(scratch)
        #expect(index.best(words, limit: 10).tools.first?.manifest.id == id)
    }

    @Test func `idle words are idle whatever their endings`() throws {
        let scratch = try Scratch()
        try write(scratch, "a", "Does this and some", "Does.")
        try write(scratch, "b", "Reads pages", "Reads.")
        let (index, _) = index(scratch)
        #expect(index.best("this page, some page", limit: 10).tools.map(\.manifest.id) == ["b"])
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

    private func ids(_ scratch: Scratch, _ words: String) -> [String] {
        index(scratch).0.best(words, limit: 100).tools.map(\.manifest.id)
    }

    @Test func `weighs a word by where it stands`() throws {
        let scratch = try Scratch()
        // In the id, the title, the short description, the kind, a parameter, the description and an example: as long
        // as each other, and by id in another order.
        let numbers = [7, 6, 5, 4, 3, 1, 2]
        for (place, number) in numbers.enumerated() {
            func word(_ here: Int) -> String { place == here ? "quartz" : "pebble" }
            let example: JSONValue = ["title": .string(word(6)), "task": [:]]
            try writeTool(
                scratch, "p\(number).\(word(0))",
                changes: [
                    ("title", .string(word(1))), ("short_description", .string(word(2))), ("kind", .string(word(3))),
                    ("description", .string(word(5))), ("examples", [example]),
                ], input: #"{"properties":{"\#(word(4))":true}}"#)
        }
        let expected = ["p7.quartz"] + numbers.dropFirst().map { "p\($0).pebble" }
        #expect(ids(scratch, "quartz") == expected)
    }

    @Test func `a text that says much else weighs less`() throws {
        let scratch = try Scratch()
        try write(scratch, "a.long", "Work", "Cuts quartz and marble, granite, slate, basalt, chalk, flint and sand.")
        try write(scratch, "b.short", "Work", "Cuts quartz.")
        #expect(ids(scratch, "quartz") == ["b.short", "a.long"])
    }

    @Test func `a rare word weighs more than one that most have`() throws {
        let scratch = try Scratch()
        for name in ["a", "b", "c", "d", "e"] { try write(scratch, "\(name).stone", "Work", "Cuts it.") }
        try write(scratch, "x.other", "Work", "Cuts quartz.")
        #expect(ids(scratch, "stone quartz") == ["x.other", "a.stone", "b.stone", "c.stone", "d.stone", "e.stone"])
    }

    @Test func `a whole word weighs more than one that begins like it`() throws {
        let scratch = try Scratch()
        try write(scratch, "a.one", "Quartzite", "Work.")
        try write(scratch, "b.two", "Work", "Quartz.")
        #expect(ids(scratch, "quartz") == ["b.two", "a.one"])
        // One that is longer than what stands there; and too short a one.
        #expect(ids(scratch, "quartziferous") == ["b.two"])
        #expect(ids(scratch, "qu").isEmpty)
    }

    @Test func `what is deprecated comes behind what fits less`() throws {
        let scratch = try Scratch()
        try writeTool(scratch, "a.quartz", changes: [("deprecated", "Use b.new.")])
        try writeTool(scratch, "b.new", changes: [("description", "Cuts quartz.")])
        #expect(ids(scratch, "quartz") == ["b.new", "a.quartz"])
    }

    @Test func `idle words find nothing beside others`() throws {
        let scratch = try Scratch()
        try write(scratch, "a.one", "What it is for", "How and why to do that.")
        try write(scratch, "b.two", "Work", "Quartz.")
        #expect(ids(scratch, "what do I do for the quartz") == ["b.two"])
    }

    @Test(arguments: [("writing", "write"), ("replies", "reply"), ("moved", "moving"), ("Cities", "city")])
    func `endings are no part of a word`(_ asked: String, _ stands: String) throws {
        let scratch = try Scratch()
        try write(scratch, "a.one", "Work", "Is to \(stands) it.")
        try write(scratch, "b.two", "Work", "Is done.")
        #expect(ids(scratch, asked) == ["a.one"])
    }
}
