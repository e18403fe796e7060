import Testing

/// A schema, an instance, and whether it is valid.
struct SchemaCase: Sendable, CustomTestStringConvertible {
    var schema: String
    var instance: String
    var isValid: Bool
    var testDescription: String { "\(schema) and \(instance)" }

    static func valid(_ schema: String, _ instances: String...) -> [SchemaCase] {
        instances.map { SchemaCase(schema: schema, instance: $0, isValid: true) }
    }

    static func invalid(_ schema: String, _ instances: String...) -> [SchemaCase] {
        instances.map { SchemaCase(schema: schema, instance: $0, isValid: false) }
    }

    /// Worked out by hand from the specification (json-schema.org/draft/2020-12).
    static let table: [SchemaCase] =
        anyType + numbers + strings + arrays + objects + inPlace + references

    private static let anyType: [SchemaCase] = [
        valid("true", "1", "null", "{}"), invalid("false", "1", "null"), valid("{}", "1", "[]"),
        valid(#"{"type":"integer"}"#, "1", "-1", "1.0", "1e3", "0"),
        invalid(#"{"type":"integer"}"#, "1.5", "\"1\"", "null"),
        valid(#"{"type":"number"}"#, "1", "1.5"), invalid(#"{"type":"number"}"#, "true"),
        valid(#"{"type":["string","null"]}"#, "null", "\"\""), invalid(#"{"type":["string","null"]}"#, "0", "[]", "{}"),
        valid(#"{"type":"boolean"}"#, "false"), invalid(#"{"type":"boolean"}"#, "0", "\"false\""),
        valid(#"{"type":"object"}"#, "{}"), invalid(#"{"type":"object"}"#, "[]"),
        valid(#"{"type":"array"}"#, "[]"), invalid(#"{"type":"array"}"#, "{}"),
        valid(#"{"const":1}"#, "1", "1.0"), invalid(#"{"const":1}"#, "true", "\"1\"", "2"),
        valid(#"{"const":null}"#, "null"), invalid(#"{"const":null}"#, "0", "false"),
        valid(#"{"const":{"a":1,"b":[2]}}"#, #"{"b":[2.0],"a":1}"#),
        invalid(#"{"const":{"a":1}}"#, "{}", #"{"a":1,"b":1}"#),
        valid(#"{"enum":[1,"a",null]}"#, "1.0", "\"a\"", "null"),
        invalid(#"{"enum":[1,"a",null]}"#, "\"A\"", "false", "[1]"),
        valid(#"{"enum":[false]}"#, "false"), invalid(#"{"enum":[false]}"#, "0"),
        valid(#"{"format":"email","default":1,"examples":[2],"title":"t","deprecated":true}"#, "\"no mail\""),
    ].flatMap { $0 }

    private static let numbers: [SchemaCase] = [
        valid(#"{"minimum":1}"#, "1", "1.5", "\"0\""), invalid(#"{"minimum":1}"#, "0", "0.999", "-5"),
        valid(#"{"maximum":1}"#, "1", "-1"), invalid(#"{"maximum":1}"#, "1.0001"),
        valid(#"{"exclusiveMinimum":1}"#, "1.1"), invalid(#"{"exclusiveMinimum":1}"#, "1", "1.0"),
        valid(#"{"exclusiveMaximum":1}"#, "0.9"), invalid(#"{"exclusiveMaximum":1}"#, "1"),
        // Beyond 2^53, where doubles have gaps.
        valid(#"{"maximum":9007199254740993}"#, "9007199254740993"),
        invalid(#"{"maximum":9007199254740992.0}"#, "9007199254740993"),
        invalid(#"{"maximum":9007199254740992}"#, "9007199254740993"),
        valid(#"{"maximum":9223372036854775807}"#, "9223372036854775807"),
        invalid(#"{"maximum":9223372036854775807}"#, "1e19"), valid(#"{"minimum":-1e300}"#, "-9223372036854775808"),
        valid(#"{"multipleOf":0.1}"#, "0.3", "1", "0", "-0.7", "4.2"), invalid(#"{"multipleOf":0.1}"#, "0.35", "0.01"),
        valid(#"{"multipleOf":0.01}"#, "19.99", "0.07"), invalid(#"{"multipleOf":0.01}"#, "19.999"),
        valid(#"{"multipleOf":3}"#, "9", "-3", "3.0"), invalid(#"{"multipleOf":3}"#, "10", "3.5"),
        valid(#"{"multipleOf":1e-8}"#, "12391239123"), valid(#"{"multipleOf":1.5}"#, "4.5", "\"x\""),
    ].flatMap { $0 }

    private static let strings: [SchemaCase] = [
        valid(#"{"minLength":2}"#, "\"ab\"", "5"), invalid(#"{"minLength":2}"#, "\"a\"", "\"\"", "\"\u{1F600}\""),
        // Code points: neither bytes, nor UTF-16 units, nor what a reader sees as one letter.
        valid(#"{"maxLength":2}"#, "\"\u{1F600}\u{1F600}\"", "\"e\u{301}\""),
        invalid(#"{"maxLength":2}"#, "\"abc\"", "\"e\u{301}x\""),
        valid(#"{"pattern":"^a+$"}"#, "\"aa\"", "7"), invalid(#"{"pattern":"^a+$"}"#, "\"ab\"", "\"\""),
        valid(#"{"pattern":"a"}"#, "\"xax\""),
    ].flatMap { $0 }

    private static let arrays: [SchemaCase] = [
        valid(#"{"items":{"type":"integer"}}"#, "[]", "[1,2]", "{}"),
        invalid(#"{"items":{"type":"integer"}}"#, "[1,\"a\"]"),
        valid(#"{"prefixItems":[{"type":"integer"},true],"items":false}"#, "[]", "[1]", "[1,\"x\"]"),
        invalid(#"{"prefixItems":[{"type":"integer"},true],"items":false}"#, "[\"x\"]", "[1,2,3]"),
        valid(#"{"prefixItems":[{"type":"integer"}],"items":{"type":"string"}}"#, "[1,\"a\",\"b\"]"),
        invalid(#"{"prefixItems":[{"type":"integer"}],"items":{"type":"string"}}"#, "[1,2]"),
        valid(#"{"minItems":1,"maxItems":2}"#, "[1]", "[1,2]"),
        invalid(#"{"minItems":1,"maxItems":2}"#, "[]", "[1,2,3]"),
        valid(
            #"{"uniqueItems":true}"#, "[1,2]", "[1,true]", "[0,false]", #"["1",1]"#, #"[{"a":1},{"a":2}]"#, "[[],[[]]]"),
        invalid(
            #"{"uniqueItems":true}"#, "[1,1]", "[1,1.0]", #"[{"a":1,"b":2},{"b":2,"a":1}]"#, "[null,null]",
            "[[1],[1.0]]"),
        valid(#"{"uniqueItems":true}"#, "[9007199254740993,9007199254740992]"),
        valid(#"{"uniqueItems":false}"#, "[1,1]"),
        valid(#"{"contains":{"const":1}}"#, "[0,1]", "\"x\""), invalid(#"{"contains":{"const":1}}"#, "[]", "[2]"),
        valid(#"{"contains":{"const":1},"minContains":0}"#, "[]"),
        invalid(#"{"contains":{"const":1},"minContains":2,"maxContains":2}"#, "[1]", "[1,1,1]"),
        valid(#"{"contains":{"const":1},"minContains":2,"maxContains":2}"#, "[1,0,1]"),
    ].flatMap { $0 }

    private static let objects: [SchemaCase] = [
        valid(#"{"required":["a","b"]}"#, #"{"a":null,"b":1}"#, "[]"),
        invalid(#"{"required":["a","b"]}"#, "{}", #"{"a":1}"#),
        valid(#"{"properties":{"a":{"type":"integer"}}}"#, "{}", #"{"a":1,"z":2}"#),
        invalid(#"{"properties":{"a":{"type":"integer"}}}"#, #"{"a":"1"}"#),
        valid(#"{"properties":{"a":true},"additionalProperties":false}"#, #"{"a":1}"#, "{}"),
        invalid(#"{"properties":{"a":true},"additionalProperties":false}"#, #"{"a":1,"b":2}"#, #"{"A":1}"#),
        valid(#"{"additionalProperties":{"type":"integer"}}"#, #"{"x":1}"#),
        invalid(#"{"additionalProperties":{"type":"integer"}}"#, #"{"x":"1"}"#),
        valid(#"{"patternProperties":{"^x-":{"type":"integer"}},"additionalProperties":false}"#, #"{"x-a":1}"#),
        invalid(
            #"{"patternProperties":{"^x-":{"type":"integer"}},"additionalProperties":false}"#, #"{"x-a":"1"}"#,
            #"{"y":1}"#),
        invalid(#"{"properties":{"x-a":true},"patternProperties":{"^x-":{"type":"integer"}}}"#, #"{"x-a":"1"}"#),
        valid(#"{"propertyNames":{"maxLength":2}}"#, #"{"ab":1}"#),
        invalid(#"{"propertyNames":{"maxLength":2}}"#, #"{"abc":1}"#),
        valid(#"{"minProperties":1,"maxProperties":2}"#, #"{"a":1}"#),
        invalid(#"{"minProperties":1,"maxProperties":2}"#, "{}", #"{"a":1,"b":1,"c":1}"#),
        valid(#"{"dependentRequired":{"a":["b"]}}"#, "{}", #"{"b":1}"#, #"{"a":1,"b":1}"#),
        invalid(#"{"dependentRequired":{"a":["b"]}}"#, #"{"a":1}"#),
        valid(#"{"dependentSchemas":{"a":{"maxProperties":1}}}"#, #"{"a":1}"#, #"{"b":1,"c":1}"#),
        invalid(#"{"dependentSchemas":{"a":{"maxProperties":1}}}"#, #"{"a":1,"b":1}"#),
    ].flatMap { $0 }

    private static let inPlace: [SchemaCase] = [
        valid(#"{"allOf":[{"minimum":1},{"maximum":3}]}"#, "2"),
        invalid(#"{"allOf":[{"minimum":1},{"maximum":3}]}"#, "0", "4"),
        valid(#"{"anyOf":[{"type":"string"},{"minimum":5}]}"#, "\"a\"", "5"),
        invalid(#"{"anyOf":[{"type":"string"},{"minimum":5}]}"#, "4"),
        valid(#"{"oneOf":[{"multipleOf":3},{"multipleOf":5}]}"#, "9", "10"),
        invalid(#"{"oneOf":[{"multipleOf":3},{"multipleOf":5}]}"#, "15", "7"),
        valid(#"{"not":{"type":"string"}}"#, "1"), invalid(#"{"not":{"type":"string"}}"#, "\"a\""),
        invalid(#"{"not":{}}"#, "1"),
        valid(#"{"not":{"not":{"type":"string"}}}"#, "\"a\""), invalid(#"{"not":{"not":{"type":"string"}}}"#, "1"),
        valid(#"{"if":{"type":"string"},"then":{"minLength":2},"else":{"minimum":2}}"#, "\"ab\"", "2"),
        invalid(#"{"if":{"type":"string"},"then":{"minLength":2},"else":{"minimum":2}}"#, "\"a\"", "1"),
        valid(#"{"if":false,"then":false}"#, "1"), valid(#"{"then":false,"else":false}"#, "1"),
        invalid(#"{"if":true,"then":false}"#, "1"),
        invalid(#"{"anyOf":[{"anyOf":[{"const":1},{"const":2}]},{"not":{}}]}"#, "3"),
        // A failure inside a branch that lost must not count.
        valid(#"{"anyOf":[{"properties":{"a":{"type":"string"}}},{"required":["b"]}]}"#, #"{"a":1,"b":2}"#),
    ].flatMap { $0 }

    private static let references: [SchemaCase] = [
        valid(##"{"$defs":{"n":{"type":"integer"}},"properties":{"a":{"$ref":"#/$defs/n"}}}"##, #"{"a":1}"#),
        invalid(##"{"$defs":{"n":{"type":"integer"}},"properties":{"a":{"$ref":"#/$defs/n"}}}"##, #"{"a":"1"}"#),
        valid(
            ##"{"type":"object","properties":{"next":{"$ref":"#"}},"additionalProperties":false}"##,
            #"{"next":{"next":{}}}"#),
        invalid(
            ##"{"type":"object","properties":{"next":{"$ref":"#"}},"additionalProperties":false}"##,
            #"{"next":{"next":{"x":1}}}"#, #"{"next":1}"#),
        // Siblings of $ref count in 2020-12.
        invalid(##"{"$defs":{"n":{"type":"integer"}},"$ref":"#/$defs/n","maximum":3}"##, "4", "\"a\""),
        valid(
            ##"{"$defs":{"a/b":{"const":1},"c~d":{"const":2},"e%f":{"const":3}},"prefixItems":[{"$ref":"#/$defs/a~1b"},{"$ref":"#/$defs/c~0d"},{"$ref":"#/$defs/e%25f"}]}"##,
            "[1,2,3]"),
        invalid(##"{"$defs":{"a/b":{"const":1}},"$ref":"#/$defs/a~1b"}"##, "2"),
        invalid(##"{"prefixItems":[{"const":1},{"$ref":"#/prefixItems/0"}]}"##, "[1,2]"),
    ].flatMap { $0 }
}
