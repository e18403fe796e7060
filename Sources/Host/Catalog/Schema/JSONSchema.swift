package import DomeModel

/// A compiled JSON Schema (draft 2020-12), immutable and shared freely between threads.
///
/// Sound, not complete: what it knows it applies as the specification says, and a keyword it does not know
/// refuses the whole schema when it is compiled, so no constraint is ever skipped silently. Known are type, enum,
/// const, properties, required, additionalProperties, patternProperties, propertyNames, minProperties,
/// maxProperties, dependentRequired, dependentSchemas, items, prefixItems, contains, minContains, maxContains,
/// minItems, maxItems, uniqueItems, minLength, maxLength, pattern (see `Pattern`), minimum, maximum,
/// exclusiveMinimum, exclusiveMaximum, multipleOf, allOf, anyOf, oneOf, not, if, then, else, $defs and local $ref.
/// Annotations, `format` among them, constrain nothing. Source: json-schema.org/draft/2020-12.
package struct JSONSchema: Sendable {
    let nodes: [SchemaNode]

    /// The one dialect accepted as `$schema`.
    package static let dialect = "https://json-schema.org/draft/2020-12/schema"

    /// Compiles `document`; `what` names it in errors, e.g. its path. E_INVALID_REQUEST, naming keyword and
    /// JSON Pointer, for anything malformed or unknown.
    package static func compile(_ document: JSONValue, what: String) throws(DomeError) -> JSONSchema {
        var compiler = SchemaCompiler(document, what: what)
        return try compiler.compile()
    }

    /// Everything about `instance` that the schema rejects, in document order; empty means valid. At most
    /// `SchemaValidator.violationLimit` are listed. Costs a few microseconds for a small task.
    package func validate(_ instance: JSONValue) -> [SchemaViolation] {
        var validator = SchemaValidator(nodes)
        return validator.validate(instance)
    }
}

/// One thing that a schema rejects. Holds names and limits, never a value of the instance.
package struct SchemaViolation: Sendable, Equatable {
    /// Where in the instance: a JSON Pointer (RFC 6901), "" for the whole document.
    package var pointer: String
    /// The schema keyword that rejects it, e.g. "required".
    package var keyword: String
    /// For people, e.g. "must be a string, not an integer".
    package var message: String

    package init(pointer: String, keyword: String, message: String) {
        self.pointer = pointer
        self.keyword = keyword
        self.message = message
    }
}

extension SchemaViolation: CustomStringConvertible {
    /// E.g. `/argv/0: must be a string, not an integer`; the whole document is called `(root)`.
    package var description: String { (pointer.isEmpty ? "(root)" : pointer) + ": " + message }
}

/// JSON Pointers, RFC 6901.
enum JSONPointer {
    /// One reference token: `~` and `/` escaped.
    static func token(_ name: String) -> String {
        guard name.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return name }
        var output = ""
        for scalar in name.unicodeScalars {
            switch scalar {
            case "~": output += "~0"
            case "/": output += "~1"
            default: output.unicodeScalars.append(scalar)
            }
        }
        return output
    }

    /// The tokens of a pointer given as a URI fragment without `#`; nil if it is malformed.
    static func tokens(ofFragment fragment: Substring) -> [String]? {
        guard let decoded = percentDecoded(fragment) else { return nil }
        if decoded.isEmpty { return [] }
        guard decoded.first == UInt8(ascii: "/") else { return nil }
        var tokens: [String] = []
        for part in decoded.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false) {
            guard let token = unescaped(part) else { return nil }
            tokens.append(token)
        }
        return tokens
    }

    private static func unescaped(_ part: ArraySlice<UInt8>) -> String? {
        var bytes: [UInt8] = []
        var rest = part
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "~") {
                guard let next = rest.popFirst(), next == UInt8(ascii: "0") || next == UInt8(ascii: "1") else {
                    return nil
                }
                bytes.append(next == UInt8(ascii: "0") ? UInt8(ascii: "~") : UInt8(ascii: "/"))
            } else {
                bytes.append(byte)
            }
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func percentDecoded(_ text: Substring) -> [UInt8]? {
        var bytes: [UInt8] = []
        var rest = text.utf8
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%") {
                guard let high = rest.popFirst().flatMap(hexValue), let low = rest.popFirst().flatMap(hexValue) else {
                    return nil
                }
                bytes.append(high << 4 | low)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }

    private static func hexValue(_ byte: UInt8) -> UInt8? {
        Character(Unicode.Scalar(byte)).hexDigitValue.map(UInt8.init)
    }
}
