import DomeCatalog
import DomeModel
import DomeSchema
import Testing

@testable import DomeValidator

struct PayloadTests {
    @Test(arguments: [
        #"{"required":["a","b"],"properties":{"a":{"type":"string","minLength":9},"b":{"type":"integer","minimum":7}}}"#,
        #"{"type":"object","properties":{"a":{"enum":["x","y"]}},"minProperties":1}"#,
        ##"{"$ref":"#/$defs/thing","$defs":{"thing":{"type":"array","items":{"type":"boolean"},"minItems":3}}}"##,
        #"{"oneOf":[{"type":"null"},{"type":"string"}]}"#,
        #"{"type":"number","exclusiveMinimum":0,"maximum":5}"#,
        #"{"type":"object","properties":{"kind":{"const":"k"},"n":{"default":4}},"required":["kind","n"]}"#,
        #"{"examples":[{"a":"by hand"}],"type":"object","properties":{"a":{"type":"string","pattern":"^by"}}}"#,
        #"{"type":"integer","minimum":1e300}"#, #"{"type":"integer","minimum":-1e300}"#,
        #"{"type":"array","minItems":3,"items":{"type":"array","minItems":3}}"#,
        "true", "{}",
    ])
    func `a sample fits its schema`(_ text: String) throws {
        let schema = try JSONParser.parse(text, what: "the schema")
        let sample = try #require(SchemaSample.make(of: schema))
        #expect(try JSONSchema.compile(schema, what: "it").validate(sample).isEmpty)
    }

    @Test func `where none can be made there is none, not a wrong one`() throws {
        for text in [#"{"type":"string","pattern":"^[0-9]{4}$"}"#, #"{"not":{}}"#, #"{"type":"strin"}"#] {
            #expect(SchemaSample.make(of: try JSONParser.parse(text, what: "the schema")) == nil, "\(text)")
        }
    }

    @Test func `a schema without an end has an end here`() throws {
        let text =
            ##"{"$ref":"#/$defs/a","$defs":{"a":{"type":"object","required":["a"],"properties":"##
            + ##"{"a":{"$ref":"#/$defs/a"}}}}}"##
        #expect(SchemaSample.make(of: try JSONParser.parse(text, what: "the schema")) == nil)
    }

    @Test func `a schema of few lines that asks for a world gets none`() throws {
        let members = (0..<12).map { ##""m\##($0)":{"$ref":"#/$defs/a"}"## }.joined(separator: ",")
        let wide = ##"{"$ref":"#/$defs/a","$defs":{"a":{"type":"object","properties":{\##(members)}}}}"##
        // Without the optional members it is {}.
        #expect(SchemaSample.make(of: try JSONParser.parse(wide, what: "the schema")) == .object([:]))
        var deep = #"{"type":"null"}"#
        for _ in 0..<12 { deep = #"{"type":"array","minItems":64,"items":\#(deep)}"# }
        #expect(SchemaSample.make(of: try JSONParser.parse(deep, what: "the schema")) == nil)
    }

    @Test func `a seed gives the same payloads, another seed others`() {
        func payloads(_ seed: UInt64) -> [[UInt8]] {
            var fuzzer = Fuzzer(seed: seed)
            return (0..<200).map { _ in fuzzer.payload(like: ["name": "example", "list": [1, 2]]) }
        }
        #expect(payloads(7) == payloads(7))
        #expect(payloads(7) != payloads(8))
        // Of both kinds: JSON, and what is none.
        let areJSON = payloads(7).map { (try? JSONParser.parse($0, what: "it")) != nil }
        #expect(areJSON.contains(true) && areJSON.contains(false))
    }

    @Test(arguments: [
        (#"{"argv":["true"]}"#, nil),
        (#"{"argv":["a","b"],"cwd":"/job","stdin":{"text":""},"network":"full","tty":true,"limits":{}}"#, nil),
        ("[]", "no JSON object"), (#"{"argv":[]}"#, "argv"), (#"{"argv":["a\u0000"]}"#, "NUL"),
        (#"{"argv":["a"],"cwd":"job"}"#, "cwd"), (#"{"argv":["a"],"environment":{"A=B":"c"}}"#, "environment"),
        (#"{"argv":["a"],"mounts":["/x"]}"#, "mounts"), (#"{"argv":["a"],"cwdd":"/"}"#, "cwdd"),
    ])
    func `a plan is told from what is none`(_ text: String, _ fault: String?) throws {
        let found = PlanShape.fault(try JSONParser.parse(text, what: "the plan"))
        #expect((found == nil) == (fault == nil))
        if let fault { #expect(found?.contains(fault) == true) }
    }
}
