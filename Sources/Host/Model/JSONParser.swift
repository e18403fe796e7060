/// A strict RFC 8259 parser for hostile bytes: UTF-8 only, duplicate member names refused (RFC 7493),
/// nesting limited, every error with its line and column.
package struct JSONParser {
    /// Deeper documents are refused, so that the recursion stays bounded.
    package static let depthLimit = 128

    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    private var depth = 0

    private init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    /// Parses one complete document. `what` names it in the error, e.g. "task_json".
    package static func parse(_ text: String, what: String) throws(DomeError) -> JSONValue {
        try parse(Array(text.utf8), what: what)
    }

    /// Parses one complete document. `what` names it in the error.
    package static func parse(_ bytes: [UInt8], what: String) throws(DomeError) -> JSONValue {
        let result = bytes.withUnsafeBytes { (raw) -> Result<JSONValue, DomeError> in
            var parser = JSONParser(raw)
            do throws(SyntaxError) {
                return .success(try parser.document())
            } catch {
                let place = parser.place(error.position)
                return .failure(
                    DomeError(
                        .invalidRequest,
                        "\(what) is not valid JSON: \(error.reason) at line \(place.line), column \(place.column)"))
            }
        }
        return try result.get()
    }

    fileprivate struct SyntaxError: Error {
        var reason: String
        var position: Int
    }

    private func place(_ position: Int) -> (line: Int, column: Int) {
        var line = 1
        var column = 1
        for index in 0..<min(position, bytes.count) {
            if bytes[index] == 0x0a {
                line += 1
                column = 1
            } else if bytes[index] & 0xc0 != 0x80 {
                column += 1
            }
        }
        return (line, column)
    }

    private func fail(_ reason: String) -> SyntaxError { SyntaxError(reason: reason, position: position) }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func document() throws(SyntaxError) -> JSONValue {
        skipSpace()
        guard current != nil else { throw fail("it is empty") }
        let value = try value()
        skipSpace()
        guard position == bytes.count else { throw fail("unexpected text after the document") }
        return value
    }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0a || byte == 0x0d || byte == 0x09 { position += 1 }
    }

    private mutating func value() throws(SyntaxError) -> JSONValue {
        guard let byte = current else { throw fail("unexpected end") }
        switch byte {
        case UInt8(ascii: "{"): return try object()
        case UInt8(ascii: "["): return try array()
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), 0x30...0x39: return try number()
        default: throw fail("unexpected character")
        }
    }

    private mutating func literal(_ word: StaticString, _ value: JSONValue) throws(SyntaxError) -> JSONValue {
        for index in 0..<word.utf8CodeUnitCount {
            guard position + index < bytes.count, bytes[position + index] == word.utf8Start[index] else {
                throw fail("unexpected word")
            }
        }
        position += word.utf8CodeUnitCount
        return value
    }

    private mutating func enter() throws(SyntaxError) {
        depth += 1
        guard depth <= Self.depthLimit else { throw fail("nested deeper than \(Self.depthLimit)") }
        position += 1
        skipSpace()
    }

    private mutating func object() throws(SyntaxError) -> JSONValue {
        try enter()
        defer { depth -= 1 }
        var object = JSONObject()
        if current == UInt8(ascii: "}") {
            position += 1
            return .object(object)
        }
        while true {
            guard current == UInt8(ascii: "\"") else { throw fail("expected a member name in quotes") }
            let keyPosition = position
            let key = try string()
            guard object[key] == nil else {
                throw SyntaxError(reason: "the member \"\(key.prefix(64))\" stands twice", position: keyPosition)
            }
            skipSpace()
            guard current == UInt8(ascii: ":") else { throw fail("expected ':'") }
            position += 1
            skipSpace()
            object[key] = try value()
            skipSpace()
            if current == UInt8(ascii: ",") {
                position += 1
                skipSpace()
            } else if current == UInt8(ascii: "}") {
                position += 1
                return .object(object)
            } else {
                throw fail("expected ',' or '}'")
            }
        }
    }

    private mutating func array() throws(SyntaxError) -> JSONValue {
        try enter()
        defer { depth -= 1 }
        var elements: [JSONValue] = []
        if current == UInt8(ascii: "]") {
            position += 1
            return .array(elements)
        }
        while true {
            elements.append(try value())
            skipSpace()
            if current == UInt8(ascii: ",") {
                position += 1
                skipSpace()
            } else if current == UInt8(ascii: "]") {
                position += 1
                return .array(elements)
            } else {
                throw fail("expected ',' or ']'")
            }
        }
    }
}

// Numbers.
extension JSONParser {
    private mutating func digits() -> Int {
        let start = position
        while let byte = current, byte >= 0x30, byte <= 0x39 { position += 1 }
        return position - start
    }

    private mutating func number() throws(SyntaxError) -> JSONValue {
        let start = position
        var isInteger = true
        if current == UInt8(ascii: "-") { position += 1 }
        let first = current
        let integerDigits = digits()
        guard integerDigits > 0 else { throw fail("a number needs digits") }
        guard integerDigits == 1 || first != UInt8(ascii: "0") else { throw fail("a number must not start with 0") }
        if current == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            guard digits() > 0 else { throw fail("digits must follow the point") }
        }
        if let byte = current, byte | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            guard digits() > 0 else { throw fail("digits must follow the exponent") }
        }
        let text = String(decoding: UnsafeRawBufferPointer(rebasing: bytes[start..<position]), as: UTF8.self)
        if isInteger, let value = Int64(text) { return .integer(value) }
        guard let value = Double(text), value.isFinite else { throw fail("the number is too large") }
        return .double(value)
    }
}

// Strings.
extension JSONParser {
    private mutating func string() throws(SyntaxError) -> String {
        position += 1
        let start = position
        while let byte = current, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 { position += 1 }
        if current == UInt8(ascii: "\"") {
            defer { position += 1 }
            return try text(UnsafeRawBufferPointer(rebasing: bytes[start..<position]), start)
        }
        var buffer = Array(UnsafeRawBufferPointer(rebasing: bytes[start..<position]))
        while true {
            guard let byte = current else { throw fail("the string does not end") }
            guard byte >= 0x20 else { throw fail("a control character must be escaped") }
            position += 1
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") { try escape(into: &buffer) } else { buffer.append(byte) }
        }
        return try text(buffer, start)
    }

    private func text(_ raw: some Sequence<UInt8>, _ start: Int) throws(SyntaxError) -> String {
        guard let text = String(validating: raw, as: UTF8.self) else {
            throw SyntaxError(reason: "the string is not valid UTF-8", position: start)
        }
        return text
    }

    private mutating func escape(into buffer: inout [UInt8]) throws(SyntaxError) {
        guard let byte = current else { throw fail("the string does not end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): buffer.append(byte)
        case UInt8(ascii: "b"): buffer.append(0x08)
        case UInt8(ascii: "f"): buffer.append(0x0c)
        case UInt8(ascii: "n"): buffer.append(0x0a)
        case UInt8(ascii: "r"): buffer.append(0x0d)
        case UInt8(ascii: "t"): buffer.append(0x09)
        case UInt8(ascii: "u"):
            var code = try hexQuad()
            if code & 0xfc00 == 0xd800 {
                guard current == UInt8(ascii: "\\") else { throw fail("a high surrogate stands alone") }
                position += 1
                guard current == UInt8(ascii: "u") else { throw fail("a high surrogate stands alone") }
                position += 1
                let low = try hexQuad()
                guard low & 0xfc00 == 0xdc00 else { throw fail("a high surrogate stands alone") }
                code = 0x10000 + (code & 0x3ff) << 10 + (low & 0x3ff)
            }
            guard let scalar = Unicode.Scalar(code) else { throw fail("a low surrogate stands alone") }
            buffer.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
        default: throw fail("unknown escape")
        }
    }

    private mutating func hexQuad() throws(SyntaxError) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = current, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw fail("\\u needs four hexadecimal digits")
            }
            value = value << 4 | UInt32(digit)
            position += 1
        }
        return value
    }
}
