/// JSON text from values: compact as given, indented for people, or canonical (RFC 8785) for hashing.
extension JSONValue {
    /// One line, members in the order given.
    package var compact: String {
        var output: [UInt8] = []
        JSONText.write(self, into: &output, order: .given)
        return String(decoding: output, as: UTF8.self)
    }

    /// RFC 8785: members sorted by UTF-16 code units, ECMAScript numbers. Two equal documents give equal bytes.
    package var canonical: [UInt8] {
        var output: [UInt8] = []
        JSONText.write(self, into: &output, order: .canonical)
        return output
    }

    /// Members sorted, integers exact. For telling values apart, where RFC 8785 would round integers beyond 2^53.
    package var sortedExact: [UInt8] {
        var output: [UInt8] = []
        JSONText.write(self, into: &output, order: .sortedExact)
        return output
    }

    /// Two-space indentation, with a final newline.
    package var indented: String {
        var output: [UInt8] = []
        JSONText.writeIndented(self, level: 0, into: &output)
        output.append(0x0a)
        return String(decoding: output, as: UTF8.self)
    }
}

/// The writer's parts, for those who build JSON byte by byte.
package enum JSONText {
    package enum Order: Sendable {
        case given
        /// RFC 8785.
        case canonical
        /// Members sorted as in RFC 8785, integers exact: two texts are equal only if the values are.
        case sortedExact
    }

    package static func write(_ value: JSONValue, into output: inout [UInt8], order: Order) {
        switch value {
        case .array(let elements):
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                write(element, into: &output, order: order)
            }
            output.append(UInt8(ascii: "]"))
        case .object(let object):
            var members = object.members
            if order != .given { members.sort { $0.key.utf16.lexicographicallyPrecedes($1.key.utf16) } }
            output.append(UInt8(ascii: "{"))
            for (index, member) in members.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                writeString(member.key, into: &output)
                output.append(UInt8(ascii: ":"))
                write(member.value, into: &output, order: order)
            }
            output.append(UInt8(ascii: "}"))
        default: writeScalar(value, into: &output, order: order)
        }
    }

    static func writeIndented(_ value: JSONValue, level: Int, into output: inout [UInt8]) {
        func newline(_ level: Int) {
            output.append(0x0a)
            output.append(contentsOf: repeatElement(0x20, count: level * 2))
        }
        switch value {
        case .array(let elements) where !elements.isEmpty:
            output.append(UInt8(ascii: "["))
            for (index, element) in elements.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                newline(level + 1)
                writeIndented(element, level: level + 1, into: &output)
            }
            newline(level)
            output.append(UInt8(ascii: "]"))
        case .object(let object) where !object.isEmpty:
            output.append(UInt8(ascii: "{"))
            for (index, member) in object.members.enumerated() {
                if index > 0 { output.append(UInt8(ascii: ",")) }
                newline(level + 1)
                writeString(member.key, into: &output)
                output.append(contentsOf: [UInt8(ascii: ":"), 0x20])
                writeIndented(member.value, level: level + 1, into: &output)
            }
            newline(level)
            output.append(UInt8(ascii: "}"))
        default: write(value, into: &output, order: .given)
        }
    }

    private static func writeScalar(_ value: JSONValue, into output: inout [UInt8], order: Order) {
        switch value {
        case .bool(let flag): output.append(contentsOf: (flag ? "true" : "false").utf8)
        case .integer(let number):
            // RFC 8785 knows only doubles; beyond 2^53 an integer is written as the nearest one.
            if order == .canonical, number.magnitude > 1 << 53 {
                output.append(contentsOf: ecmaScript(Double(number)).utf8)
            } else {
                output.append(contentsOf: String(number).utf8)
            }
        case .double(let number): output.append(contentsOf: ecmaScript(number).utf8)
        case .string(let text): writeString(text, into: &output)
        default: output.append(contentsOf: "null".utf8)
        }
    }

    /// Writes a quoted string, escaping only what JSON demands (RFC 8785 section 3.2.2.2).
    package static func writeString(_ text: String, into output: inout [UInt8]) {
        output.append(UInt8(ascii: "\""))
        var text = text
        text.withUTF8 { bytes in
            // Mostly there is nothing to escape: whole runs are copied at once.
            var start = 0
            for index in 0..<bytes.count where needsEscape(bytes[index]) {
                output.append(contentsOf: bytes[start..<index])
                writeEscaped(bytes[index], into: &output)
                start = index + 1
            }
            output.append(contentsOf: bytes[start...])
        }
        output.append(UInt8(ascii: "\""))
    }

    private static func needsEscape(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private static func writeEscaped(_ byte: UInt8, into output: inout [UInt8]) {
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(contentsOf: [UInt8(ascii: "\\"), byte])
        case 0x08: output.append(contentsOf: "\\b".utf8)
        case 0x09: output.append(contentsOf: "\\t".utf8)
        case 0x0a: output.append(contentsOf: "\\n".utf8)
        case 0x0c: output.append(contentsOf: "\\f".utf8)
        case 0x0d: output.append(contentsOf: "\\r".utf8)
        default:
            let hex = String(byte, radix: 16)
            output.append(contentsOf: ("\\u" + String(repeating: "0", count: 4 - hex.utf8.count) + hex).utf8)
        }
    }

    /// ECMAScript's Number::toString, which RFC 8785 prescribes; Swift's shortest digits, laid out anew.
    static func ecmaScript(_ number: Double) -> String {
        guard number.isFinite else { return "null" }
        guard number != 0 else { return "0" }
        var text = number.description
        let sign = text.hasPrefix("-") ? "-" : ""
        if !sign.isEmpty { text.removeFirst() }
        let parts = text.split(separator: "e")
        let mantissa = parts.first.map(String.init) ?? text
        let exponent = parts.count > 1 ? Int(parts[1]) ?? 0 : 0
        let halves = mantissa.split(separator: ".", omittingEmptySubsequences: false)
        let whole = halves.first.map(String.init) ?? ""
        let fraction = halves.count > 1 ? String(halves[1]) : ""
        var digits = whole + fraction
        var point = whole.utf8.count + exponent
        while digits.hasPrefix("0"), digits.utf8.count > 1 {
            digits.removeFirst()
            point -= 1
        }
        while digits.hasSuffix("0"), digits.utf8.count > 1 { digits.removeLast() }
        return sign + layOut(digits, point)
    }

    /// `digits` with the decimal point after `point` of them.
    private static func layOut(_ digits: String, _ point: Int) -> String {
        let count = digits.utf8.count
        if point >= count, point <= 21 { return digits + String(repeating: "0", count: point - count) }
        if point > 0, point <= 21 { return digits.prefix(point) + "." + digits.dropFirst(point) }
        if point > -6, point <= 0 { return "0." + String(repeating: "0", count: -point) + digits }
        let exponent = point - 1
        let mark = exponent < 0 ? "e-" : "e+"
        let mantissa = count == 1 ? digits : digits.prefix(1) + "." + digits.dropFirst(1)
        return mantissa + mark + String(exponent.magnitude)
    }
}
