import DomeModel
import DomeSchema
import Testing

@Suite struct `JSON Schema` {
    @Test(arguments: SchemaCase.table) func `gives the expected verdict`(_ example: SchemaCase) throws {
        let schema = try JSONSchema.compile(try json(example.schema), what: "schema")
        let violations = schema.validate(try json(example.instance))
        #expect(violations.isEmpty == example.isValid, "\(violations)")
    }

    @Test func `lists every violation with its pointer and keyword`() throws {
        let schema = try JSONSchema.compile(
            try json(
                #"{"type":"object","required":["x"],"additionalProperties":false,"#
                    + #""properties":{"a/b":{"items":{"type":"integer"}},"x":{"minimum":1}}}"#), what: "schema")
        let violations = schema.validate(try json(#"{"a/b":[1,"2",3,null],"typo":1}"#))
        #expect(violations.map(\.pointer) == ["/a~1b/1", "/a~1b/3", "/typo", ""])
        #expect(violations.map(\.keyword) == ["type", "type", "additionalProperties", "required"])
        #expect(
            violations.map(\.schemaPointer) == [
                "/properties/a~1b/items/type", "/properties/a~1b/items/type", "/additionalProperties", "/required",
            ])
        #expect(violations.last?.description == "(root): the member \"x\" is missing")
        #expect(violations.first?.description == "/a~1b/1: must be an integer, not a string")
        #expect(violations[2].message.contains("known are x, a/b"))
    }

    @Test func `never shows a value of the instance`() throws {
        let schema = try JSONSchema.compile(
            try json(
                #"{"properties":{"a":{"const":1,"pattern":"^x","maxLength":2,"enum":[1],"type":"null","#
                    + #""not":{},"anyOf":[{"const":2}],"oneOf":[false]}}}"#), what: "schema")
        let violations = schema.validate(try json(#"{"a":"s3cret"}"#))
        #expect(violations.count == 8)
        #expect(!violations.contains { $0.description.contains("s3cret") })
    }

    @Test(arguments: [
        (##"{"type":"objekt"}"##, "/type"), (#"{"type":[]}"#, "/type"), (#"{"type":["null","null"]}"#, "twice"),
        (#"{"minLength":-1}"#, "/minLength"), (#"{"minLength":1.5}"#, "/minLength"),
        (#"{"required":"a"}"#, "/required"),
        (#"{"required":["a","a"]}"#, "twice"), (#"{"properties":[]}"#, "/properties"), (#"{"enum":1}"#, "/enum"),
        (#"{"items":[true]}"#, "prefixItems"), (#"{"allOf":[]}"#, "/allOf"), (#"{"multipleOf":0}"#, "/multipleOf"),
        (#"{"multipleOf":-2}"#, "/multipleOf"), (#"{"uniqueItems":1}"#, "/uniqueItems"),
        (#"{"properties":{"a":7}}"#, "/properties/a"),
        (#"{"properties":{"a":{"minLenght":1}}}"#, "/properties/a has \"minLenght\""),
        (#"{"propertis":{}}"#, "is \"properties\" meant?"),
        (##"{"$dynamicRef":"#a"}"##, "/$dynamicRef points to #a"), (#"{"$anchor":"a b"}"#, "/$anchor must be a name"),
        (#"{"$defs":{"a":{"$anchor":"x"},"b":{"$anchor":"x"}}}"#, "a second time"),
        (#"{"$schema":"http://json-schema.org/draft-04/schema#"}"#, "draft-04/schema, which is not known"),
        (#"{"$id":"http://a/b#c"}"#, "must not have a fragment"),
        (#"{"allOf":[{"$id":"http://a/b"},{"$id":"http://a/b"}]}"#, "gives a second schema the name"),
        (##"{"$ref":"#/$defs/none"}"##, "not in this document"),
        (#"{"$ref":"other.json"}"#, "which is not in this document (and nothing is ever fetched)"),
        (#"{"$ref":"https://x/y"}"#, "which is not in this document (and nothing is ever fetched)"),
        (#"{"$ref":7}"#, "/$ref"),
        (##"{"$ref":"#"}"##, "without end"),
        (##"{"allOf":[{"$ref":"#"}]}"##, "without end"), (##"{"if":{"anyOf":[{"not":{"$ref":"#"}}]}}"##, "without end"),
        (##"{"$defs":{"a":{"$ref":"#/$defs/b"},"b":{"$ref":"#/$defs/a"}}}"##, "without end"),
        (##"{"dependentSchemas":{"a":{"$ref":"#"}}}"##, "without end"), (#"{"pattern":"(?=a)"}"#, "look-aheads"),
        (#"{"pattern":7}"#, "/pattern"), (#"{"patternProperties":{"[":true}}"#, "/patternProperties"), ("7", "root"),
        (##"{"$ref":"#/a%zz"}"##, "/$ref"), (##"{"$ref":"#/a~2"}"##, "/$ref"),
        (##"{"allOf":[true],"$ref":"#/allOf/01"}"##, "/$ref"),
    ]) func `refuses a schema that it cannot apply in full`(_ schema: String, _ fragment: String) {
        let message = refusal { _ = try JSONSchema.compile(try json(schema), what: "schema") }
        #expect(message.contains(fragment), "\(message)")
    }

    @Test func `a hostile schema or instance costs bounded time and stack`() throws {
        // Every level doubles the work: 2^60 without a bound.
        var definitions = JSONObject()
        for level in 0..<60 {
            let next: JSONValue = ["$ref": .string("#/$defs/d\(level + 1)")]
            definitions["d\(level)"] = ["anyOf": [["allOf": [next, next, false]], ["allOf": [next, next, false]]]]
        }
        definitions["d60"] = false
        let schema = try JSONSchema.compile(
            .object(["$defs": .object(definitions), "$ref": "#/$defs/d0"]), what: "schema")
        #expect(!schema.validate(1).isEmpty)

        var chain = JSONObject()
        for level in 0..<5000 { chain["d\(level)"] = ["$ref": .string("#/$defs/d\(level + 1)")] }
        chain["d5000"] = true
        let deep = try JSONSchema.compile(
            .object(["$defs": .object(chain), "$ref": "#/$defs/d0"]), what: "schema")
        #expect(deep.validate(1).first?.message.contains("too deep") == true)

        let many = try JSONSchema.compile(["items": ["type": "string"]], what: "schema")
        let violations = many.validate(.array([JSONValue](repeating: 1, count: 100_000)))
        #expect(violations.count == 201)
        #expect(violations.last?.message == "and 99800 more violations")
    }
}

@Suite struct `Regular expressions of a schema` {
    static let table: [(pattern: String, matching: [String], others: [String])] = [
        ("^abc$", ["abc"], ["abcd", "xabc", "abc\n", ""]), ("", ["", "x"], []), ("a|bc|", ["", "x"], []),
        ("^(a|bc)+$", ["a", "bc", "abca"], ["b", "c", ""]), ("^a{2,3}$", ["aa", "aaa"], ["a", "aaaa"]),
        ("^a{2,}$", ["aa", "aaaaa"], ["a"]), ("^a{2}$", ["aa"], ["aaa"]), ("^a{0}$", [""], ["a"]),
        ("^[a-c_-]+$", ["a-_c"], ["d", ""]), ("^[^a-c]$", ["d", "\u{1F600}"], ["a", "dd"]),
        ("^[-a]$", ["-", "a"], ["b"]),
        ("^\\d+\\.\\w$", ["12.x", "1._"], ["1x", "\u{661}.x"]), ("^[\\d\\s]$", ["7", " ", "\u{a0}"], ["x"]),
        ("^[\\D]$", ["x"], ["7"]), ("^[^\\S]$", [" "], ["x"]), ("^.$", ["x", "\u{1F600}"], ["\n", "\u{2028}", "xx"]),
        ("^\\x41\\u00e9\\u{1F600}\\ud83d\\ude00$", ["A\u{e9}\u{1F600}\u{1F600}"], ["A"]),
        ("^(?:a*)*$", ["", "aaa"], ["b"]),
        ("^a+?b??$", ["a", "ab"], ["b"]), ("^[\\]\\\\^]$", ["]", "\\", "^"], ["a"]),
        ("x^y|z$w", [], ["x^y", "z$w", "xy"]),
        ("^(^a|b)$", ["a", "b"], ["c"]), ("[]", [], ["", "a"]), ("^[^]$", ["a", "\n"], [""]),
        ("^\\/\\-?".replacing("\\-", with: "-"), ["/", "/-"], ["x"]),
        ("^\u{e9}$", ["\u{e9}"], ["e\u{301}"]),
        ("^\\p{L}+$", ["aé漢"], ["a1"]), ("^\\p{Lu}\\P{Lu}$", ["Éa"], ["aÉ"]), ("^[\\p{L}\\d-]+$", ["é-1"], ["é_1"]),
        ("^[^\\P{Nd}]$", ["7", "٣"], ["x"]), ("^\\p{Script=Greek}+$", ["αβγ"], ["abc", "αb"]),
        ("^\\p{sc=Han}$", ["漢"], ["か"]), ("^\\p{gc=Sc}\\p{digit}$", ["€5"], ["5€"]),
        ("^\\p{White_Space}\\p{ASCII}$", ["\u{2003}a"], ["aa", " é"]),
        ("\\bfoo\\b", ["foo", "a foo.", "é foo"], ["food", "_foo"]), ("\\Boo", ["foo"], ["oo", " oo"]),
        ("^\\cJ\\0$", ["\n\u{0}"], ["J0"]), ("^(?<year>\\d{4})-\\d\\d$", ["2026-11"], ["26-11"]),
        ("^[\\b]$", ["\u{8}"], ["b"]), ("^\\-\\@$", ["-@"], ["\\-@"]),
    ]

    @Test(arguments: table.indices) func `match what ECMAScript would`(_ index: Int) throws {
        let (pattern, matching, others) = Self.table[index]
        let schema = try JSONSchema.compile(["pattern": .string(pattern)], what: "schema")
        for text in matching {
            #expect(schema.validate(.string(text)).isEmpty, "\(pattern) and \(text.debugDescription)")
        }
        for text in others {
            #expect(!schema.validate(.string(text)).isEmpty, "\(pattern) and \(text.debugDescription)")
        }
    }

    @Test(arguments: [
        "(", ")", "[", "a**", "*a", "+", "?", "{", "a{", "a{2", "a{3,2}", "a{1001}", "a}", "]", "\\", "\\1", "\\k<a>",
        "(?=a)", "(?!a)", "(?<=a)", "(?i)a", "\\p{Latn}", "\\pL", "\\p{Script=Elvish}", "\\c1", "\\00", "\\a", "\\Z",
        "[z-a]", "[\\d-z]", "\\u12", "\\u{}",
        "\\u{110000}", "\\x4",
        "[[:alpha:]]]", "((((a{1000}){1000}){1000}){1000})", String(repeating: "(", count: 5000),
    ]) func `are refused outside the common ground`(_ pattern: String) {
        let message = refusal { _ = try JSONSchema.compile(["pattern": .string(pattern)], what: "schema") }
        #expect(message.contains("regular expression"), "\(message)")
    }

    @Test func `cannot be made slow`() throws {
        // (a+)+$ takes a backtracking engine 2^n steps.
        let schema = try JSONSchema.compile(["pattern": "^(a+)+(a|aa)*$"], what: "schema")
        let text = String(repeating: "a", count: 20_000)
        #expect(schema.validate(.string(text)).isEmpty)
        #expect(!schema.validate(.string(text + "b")).isEmpty)
    }
}
