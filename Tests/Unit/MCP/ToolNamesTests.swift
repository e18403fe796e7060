import Testing

@testable import DomeMCP

@Suite struct ToolNamesTests {
    @Test func anIDBecomesAPlainName() {
        var names = ToolNames(taken: [])
        #expect(names.name("text.search") == "text_search")
        #expect(names.name("Text.Search") != "text_search")
    }

    @Test func namesAreUniqueShortAndOfPlainLetters() {
        var names = ToolNames(taken: ["dome_run"])
        let ids = [
            "dome.run", "a-b", "a.b", "", "é", String(repeating: "x", count: 300), String(repeating: "x", count: 301),
        ]
        let made = ids.map { names.name($0) }
        #expect(Set(made).count == ids.count)
        for name in made {
            #expect((1...64).contains(name.utf8.count))
            #expect(name.utf8.allSatisfy { byte in "abcdefghijklmnopqrstuvwxyz0123456789_".utf8.contains(byte) })
        }
    }

    @Test func aNameDependsOnTheIDAlone() {
        var (first, second) = (ToolNames(taken: ["a_b"]), ToolNames(taken: ["a_b"]))
        _ = first.name("other")
        #expect(first.name("a.b") == second.name("a.b"))
    }
}
