import DomeModel
import Testing

@Suite struct `A JSON tree` {
    private func tree(_ text: String) throws -> JSONTree { try JSONTree.parse(Array(text.utf8), what: "it") }

    @Test(arguments: [
        "12345678901234567890", "-0.10", "1e400", "1E-999999999", "9223372036854775807", "-9223372036854775808", "0",
        "[1,[2,{\"a\":[]}],\"x\"]", "{\"a\":{\"b\":[true,false,null]},\"c\":\"\"}", "\"\\u0000\\\"\\\\é💩\"",
    ])
    func `is written as it was read`(_ text: String) throws { #expect(try tree(text).compact() == text) }

    @Test func `has members, elements and parts`() throws {
        let document = try tree(#"{"a":[1,[2],"\u0041b"],"a\u0062":{"c":1.50}}"#)
        let list = try #require(document.member("a", of: 0))
        #expect(document.elements(of: list).map { document.compact($0) } == ["1", "[2]", "\"Ab\""])
        let inner = try #require(document.member("ab", of: 0))
        #expect(document.members(of: inner).map(\.name) == ["c"])
        #expect(document.subtree(inner).compact() == #"{"c":1.50}"#)
        #expect(document.subtree(list).elements(of: 0).count == 3)
        #expect(document.member("b", of: 0) == nil && document.member("a", of: list) == nil)
        #expect(document.string(at: document.elements(of: list)[2]) == "Ab" && document.string(at: list) == nil)
    }

    @Test func `of a value is the value`() throws {
        let text = #"{"a":[1,-2.5,"x"],"b":{"c":null,"d":[true,false]},"e":"","f":1e+300}"#
        let value = try JSONParser.parse(text, what: "it")
        #expect(try JSONTree(value).value(what: "it") == value)
        #expect(JSONTree(.double(0.1)).compact() == "0.1" && JSONTree(.double(.nan)).compact() == "null")
    }

    @Test func `takes exponents that no double holds, within bounds`() throws {
        #expect(throws: DomeError.self) { try JSONParser.parse("1e400", what: "it") }
        #expect(throws: DomeError.self) { try tree("1e1234567890123456") }
        #expect(try tree("1e00000000000000000001").compact() == "1e00000000000000000001")
    }
}
