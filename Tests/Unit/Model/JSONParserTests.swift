// Unit tests of the room Model: values only, nothing to set up.

import DomeModel
import Testing

@Suite struct `Parsing JSON` {
    private func parse(_ text: String) throws(DomeError) -> JSONValue { try JSONParser.parse(text, what: "it") }

    private func refusal(_ bytes: [UInt8]) -> String? {
        do throws(DomeError) {
            _ = try JSONParser.parse(bytes, what: "it")
            return nil
        } catch {
            #expect(error.code == .invalidRequest && error.message.hasPrefix("it is not valid JSON: "))
            return error.message
        }
    }

    @Test(
        arguments: [
            ("null", JSONValue.null), ("true", true), ("false", false), ("0", 0), ("-0", 0), ("42", 42),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", .double(9_223_372_036_854_775_808)), ("1.5", .double(1.5)),
            ("-2e3", .double(-2000)),
            ("1E+2", .double(100)), ("5e-324", .double(.leastNonzeroMagnitude)), ("\"\"", ""), ("[]", []), ("{}", [:]),
            (" \t\r\n[ 1 , \"a\" , { \"b\" : null } ] \n", [1, "a", ["b": .null]]),
        ] as [(String, JSONValue)])
    func `takes what RFC 8259 allows`(_ text: String, _ value: JSONValue) throws {
        #expect(try parse(text) == value)
    }

    @Test(arguments: [
        "", " ", "nul", "nulll", "True", "01", "-", "-01", "+1", ".5", "1.", "1.e1", "1e", "1e+", "0x1", "NaN",
        "Infinity", "1e999", "-1e999", "[", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{", "{\"a\"", "{\"a\":", "{\"a\":1",
        "{\"a\":1,", "{\"a\":1,}", "{a:1}", "{'a':1}", "{\"a\" 1}", "{1:1}", "\"", "\"a", "\"\\", "\"\\x\"",
        "\"\\u12\"", "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800x\"", "\"\\ud800\\n\"", "\"\\ud800\\u0041\"",
        "\"\\udc00\"", "\"a\nb\"", "\"a\u{0}b\"", "1 2", "[] []", "{} x", "\u{feff}1", "\u{a0}1", "// 1\n1",
    ])
    func `refuses everything else`(_ text: String) { #expect(refusal(Array(text.utf8)) != nil) }

    @Test(
        arguments: [
            [0x22, 0xff, 0x22], [0x22, 0xc3, 0x22], [0x22, 0xc0, 0x80, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22],
            [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22], [0x22, 0x5c, 0x6e, 0xff, 0x22], [0xff], [0x5b, 0x80, 0x5d],
        ] as [[UInt8]])
    func `refuses what is not UTF-8`(_ bytes: [UInt8]) { #expect(refusal(bytes) != nil) }

    @Test func `says where the mistake is, in lines and columns of characters`() {
        #expect(refusal(Array("{\n  \"é\": tru\n}".utf8))?.hasSuffix("at line 2, column 8") == true)
        #expect(refusal(Array("[1,\n2,\n3".utf8))?.hasSuffix("at line 3, column 2") == true)
    }

    @Test func `understands every escape`() throws {
        let text = #""\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\uD83E\udd80\u0000""#
        #expect(try parse(text) == .string("\"\\/\u{8}\u{c}\n\r\tAé€🦀\u{0}"))
    }

    @Test func `refuses a member that stands twice, by any spelling`() {
        #expect(refusal(Array(#"{"a":1,"b":2,"\u0061":3}"#.utf8))?.contains("stands twice") == true)
        let many = (0..<40).map { "\"k\($0)\":\($0)" }.joined(separator: ",")
        #expect(refusal(Array("{\(many),\"k3\":0}".utf8))?.contains("stands twice") == true)
        #expect(refusal(Array("{\(many)}".utf8)) == nil)
    }

    @Test func `two normal forms of one text are two names`() throws {
        let composed = "\u{e9}"
        let decomposed = "e\u{301}"
        let value = try parse("{\"\(composed)\":1,\"\(decomposed)\":2}")
        #expect(value[composed] == 1 && value[decomposed] == 2)
        let many = (0..<40).map { "\"k\($0)\":\($0)," }.joined()
        let indexed = try parse("{\(many)\"\(composed)\":1,\"\(decomposed)\":2}")
        #expect(indexed[composed] == 1 && indexed[decomposed] == 2 && indexed["k39"] == 39)
        #expect(try parse("{\"\(composed)\":1}") != parse("{\"\(decomposed)\":1}"))
    }

    @Test func `stops at a depth of 128, for arrays and objects`() throws {
        let limit = JSONParser.depthLimit
        let deep = String(repeating: "[", count: limit) + String(repeating: "]", count: limit)
        #expect(try parse(deep).arrayValue?.count == 1)
        #expect(refusal(Array(("[" + deep + "]").utf8))?.contains("nested deeper than 128") == true)
        let objects = String(repeating: "{\"a\":", count: 100_000)
        #expect(refusal(Array(objects.utf8))?.contains("nested deeper") == true)
        // Depth counts what is open, not what was.
        let wide = "[" + Array(repeating: "[[]]", count: 1000).joined(separator: ",") + "]"
        #expect(try parse(wide).arrayValue?.count == 1000)
    }

    @Test func `never traps on damaged documents`() throws {
        let document = Array(#"{"a":[1,-2.5e3,"x\u00e9\n"],"b":{"c":null,"d":[true,false]}}"#.utf8)
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            var bytes = document
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let position = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[position] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: position)
                default: bytes.insert(UInt8.random(in: 0...255, using: &generator), at: position)
                }
            }
            if let value = try? JSONParser.parse(bytes, what: "it") {
                #expect(
                    try JSONParser.parse(value.compact, what: "again") == JSONParser.parse(value.canonical, what: "c"))
            }
        }
    }
}

@Suite struct `JSON objects` {
    @Test(arguments: [3, 16, 17, 60]) func `keep the order given, and find, replace and remove by name`(_ count: Int) {
        var object = JSONObject()
        for number in 0..<count { object["k\(number)"] = .integer(Int64(number)) }
        #expect(object.keys == (0..<count).map { "k\($0)" })
        object["k1"] = "new"
        #expect(object.count == count && object.keys[1] == "k1" && object["k1"] == "new")
        object["k0"] = nil
        object["none"] = nil
        #expect(object.keys == (1..<count).map { "k\($0)" })
        for number in 2..<count { #expect(object["k\(number)"] == .integer(Int64(number))) }
        #expect(object["k0"] == nil)
        object["k0"] = 7
        #expect(object.keys.last == "k0" && object["k0"] == 7)
    }

    @Test func `are equal in whatever order`() {
        #expect(["a": 1, "b": [2]] as JSONValue == ["b": [2], "a": 1])
        #expect(["a": 1] as JSONValue != ["a": 1, "b": 2])
        #expect(["a": 1] as JSONValue != ["a": 2])
    }

    @Test func `a value knows its type and its number in either form`() {
        #expect(JSONValue.double(3).integerValue == 3 && JSONValue.double(3.5).integerValue == nil)
        #expect(JSONValue.double(1e300).integerValue == nil && JSONValue.integer(3).doubleValue == 3)
        #expect((["a": ["b": true]] as JSONValue)["a"]?["b"]?.boolValue == true)
        #expect((["a"] as JSONValue)["a"] == nil)
        #expect(JSONValue.double(3).typeName == "number" && JSONValue.integer(3).typeName == "integer")
    }
}
