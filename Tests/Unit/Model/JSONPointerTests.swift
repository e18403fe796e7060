import DomeModel
import Testing

struct JSONPointerTests {
    /// The document of RFC 6901, section 5, in part.
    private static let document: JSONValue = [
        "foo": ["bar", "baz"], "": 0, "a/b": 1, "m~n": 8, "k\"l": 6, " ": 7, "deep": ["x": ["y": .null]],
    ]

    @Test(arguments: [
        ("/foo/0", "\"bar\""), ("/", "0"), ("/a~1b", "1"), ("/m~0n", "8"), ("/k\"l", "6"), ("/ ", "7"),
        ("/deep/x/y", "null"), ("/foo", "[\"bar\",\"baz\"]"),
    ])
    func `a pointer finds its value`(pointer: String, expected: String) {
        #expect(Self.document.value(at: pointer)?.compact == expected)
    }

    @Test(arguments: ["foo", "/foo/2", "/foo/-1", "/foo/00", "/foo/0/x", "/nothing", "/deep/x/y/z", "/foo/+1"])
    func `one that leads nowhere finds nothing`(pointer: String) {
        #expect(Self.document.value(at: pointer) == nil)
    }

    @Test func `differences are named by pointer with both values`() {
        let before: JSONValue = ["a": 1, "b": ["x": [1, 2]], "gone": true, "t/l~d": 1]
        let after: JSONValue = ["b": ["x": [1, 3]], "a": 1, "new": "n", "t/l~d": 2]
        #expect(
            JSONDifference.list(before, after).map(\.description) == [
                "/b/x/1: 2 → 3", "/gone: true → nothing", "/t~1l~0d: 1 → 2", "/new: nothing → \"n\"",
            ])
        #expect(JSONDifference.list(before, before).isEmpty)
        #expect(JSONDifference.list([1], [1, 2]).map(\.pointer) == [""])
        #expect(JSONDifference.list(before, after, limit: 2).count == 2)
    }
}
