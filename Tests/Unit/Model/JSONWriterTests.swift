import DomeModel
import Testing

@Suite struct `Writing JSON` {
    private func canonical(_ text: String) throws -> String {
        String(decoding: try JSONParser.parse(text, what: "it").canonical, as: UTF8.self)
    }

    /// RFC 8785, section 3.2.2 to 3.2.4 and appendix A.
    @Test func `the example of RFC 8785 comes out byte by byte`() throws {
        let input = #"""
            {
              "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
              "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
              "literals": [null, true, false]
            }
            """#
        let wanted =
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
            + "\"string\":\"€$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}"
        #expect(try canonical(input) == wanted)
    }

    /// RFC 8785, section 3.2.3: the order is that of UTF-16 code units.
    @Test func `members are sorted by UTF-16, not by code point`() throws {
        let input = #"""
            {"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",
            "\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}
            """#
        let sorted = try JSONParser.parse(Array(canonical(input).utf8), what: "it").objectValue?.members.map {
            $0.value.stringValue ?? ""
        }
        let wanted = [
            "Carriage Return", "One", "Control", "Latin Small Letter O With Diaeresis", "Euro Sign",
            "Emoji: Grinning Face", "Hebrew Letter Dalet With Dagesh",
        ]
        #expect(sorted == wanted)
    }

    /// RFC 8785, appendix B: IEEE-754 bits and what ECMAScript prints.
    @Test(
        arguments: [
            (0x0000_0000_0000_0000, "0"), (0x8000_0000_0000_0000, "0"), (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"), (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"), (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"), (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"), (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"), (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"), (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"), (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"), (0x41b3_de43_5555_5554, "333333333.33333325"),
            (0x41b3_de43_5555_5555, "333333333.3333333"), (0x41b3_de43_5555_5556, "333333333.3333334"),
            (0x41b3_de43_5555_5557, "333333333.33333343"), (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ] as [(UInt64, String)])
    func `numbers are written as ECMAScript writes them`(_ bits: UInt64, _ text: String) {
        #expect(String(decoding: JSONValue.double(Double(bitPattern: bits)).canonical, as: UTF8.self) == text)
    }

    @Test func `every double survives, compact and canonical`() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let number = Double(bitPattern: UInt64.random(in: .min ... .max, using: &generator))
            guard number.isFinite else { continue }
            #expect(try JSONParser.parse(JSONValue.double(number).compact, what: "n").doubleValue == number)
            #expect(try JSONParser.parse(JSONValue.double(number).canonical, what: "n").doubleValue == number)
        }
    }

    @Test func `compact keeps the order and every integer`() {
        let value: JSONValue = ["b": 1, "a": [.null, true, .integer(.max), .integer(.min)], "": "x"]
        #expect(value.compact == #"{"b":1,"a":[null,true,9223372036854775807,-9223372036854775808],"":"x"}"#)
    }

    @Test func `canonical bytes are the same for equal documents, whatever their spelling`() throws {
        #expect(try canonical(#"{"a":1.0,"b":"\u0041"}"#) == canonical(#" { "b" : "A" , "a" : 1 } "#))
        #expect(try canonical("1e2") == canonical("100"))
        #expect(try canonical("{\"a\":1}") != canonical("{\"a\":\"1\"}"))
    }

    @Test func `strings are escaped where JSON demands it and nowhere else`() {
        let text = (0..<0x20).compactMap { Unicode.Scalar($0).map(String.init) }.joined() + "\"\\/\u{7f}\u{2028}é🦀"
        let wanted =
            #""\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f\u0010\u0011\u0012\u0013"#
            + #"\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f\"\\/"# + "\u{7f}\u{2028}é🦀\""
        #expect(JSONValue.string(text).compact == wanted)
    }

    @Test func `indented text is for people and parses back`() throws {
        let value: JSONValue = ["a": [1, []], "b": [:], "c": ["d": .null]]
        let wanted = "{\n  \"a\": [\n    1,\n    []\n  ],\n  \"b\": {},\n  \"c\": {\n    \"d\": null\n  }\n}\n"
        #expect(value.indented == wanted)
        #expect(try JSONParser.parse(value.indented, what: "it") == value)
    }
}
