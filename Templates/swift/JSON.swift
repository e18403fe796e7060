// Enough JSON for an action's payload: an object of plain values. dome has checked it against the action's input_schema
// before, so whatever does not fit is only refused here.

enum Plain {
    case null
    case bool
    case number(Double)
    case text(String)
}

/// The members of an object; nil if `text` is no object of plain values.
func members(of text: String) -> [String: Plain]? {
    var reader = JSONReader(rest: Array(text.unicodeScalars)[...])
    return reader.object()
}

/// `text` as a JSON string.
func quoted(_ text: String) -> String {
    var output = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": output += "\\\""
        case "\\": output += "\\\\"
        case _ where scalar.value < 0x20:
            let digits = String(scalar.value, radix: 16)
            output += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: output.unicodeScalars.append(scalar)
        }
    }
    return output + "\""
}

private struct JSONReader {
    var rest: ArraySlice<Unicode.Scalar>

    mutating func object() -> [String: Plain]? {
        guard take("{") else { return nil }
        var members: [String: Plain] = [:]
        if !take("}") {
            repeat {
                guard let name = string(), take(":"), let value = value() else { return nil }
                members[name] = value
            } while take(",")
            guard take("}") else { return nil }
        }
        skipSpace()
        return rest.isEmpty ? members : nil
    }

    private mutating func skipSpace() { rest = rest.drop { $0 == " " || $0 == "\n" || $0 == "\t" || $0 == "\r" } }

    private mutating func take(_ wanted: Unicode.Scalar) -> Bool {
        skipSpace()
        guard rest.first == wanted else { return false }
        rest.removeFirst()
        return true
    }

    private mutating func value() -> Plain? {
        skipSpace()
        if rest.first == "\"" { return string().map(Plain.text) }
        let word = rest.prefix { !",} \n\t\r".unicodeScalars.contains($0) }
        rest = rest.dropFirst(word.count)
        var text = ""
        text.unicodeScalars.append(contentsOf: word)
        switch text {
        case "null": return .null
        case "true", "false": return .bool
        default: return Double(text).map(Plain.number)
        }
    }

    private mutating func string() -> String? {
        guard take("\"") else { return nil }
        var output = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            switch scalar {
            case "\"": return String(output)
            case "\\":
                guard let escaped = escape() else { return nil }
                output.append(escaped)
            case _ where scalar.value < 0x20: return nil
            default: output.append(scalar)
            }
        }
        return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        switch rest.popFirst() {
        case "n": return "\n"
        case "t": return "\t"
        case "r": return "\r"
        case "b": return "\u{8}"
        case "f": return "\u{c}"
        case "u":
            guard let high = unit() else { return nil }
            guard (0xd800..<0xdc00).contains(high) else { return Unicode.Scalar(high) }
            guard rest.popFirst() == "\\", rest.popFirst() == "u", let low = unit(), (0xdc00..<0xe000).contains(low)
            else { return nil }
            return Unicode.Scalar(0x10000 + (high - 0xd800) << 10 + (low - 0xdc00))
        case .some(let scalar) where "\"\\/".unicodeScalars.contains(scalar): return scalar
        default: return nil
        }
    }

    private mutating func unit() -> UInt32? {
        guard rest.count >= 4 else { return nil }
        var text = ""
        text.unicodeScalars.append(contentsOf: rest.prefix(4))
        rest = rest.dropFirst(4)
        return UInt32(text, radix: 16)
    }
}
