/// Reads a TOML file statement by statement (toml.io, version 1.0).
struct TOMLScanner {
    private let bytes: [UInt8]
    private var position = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    var isAtEnd: Bool { position >= bytes.count }

    static func isBareKey(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
            true
        default: false
        }
    }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    private mutating func take(_ text: StaticString) -> Bool {
        let count = text.utf8CodeUnitCount
        guard position + count <= bytes.count else { return false }
        for index in 0..<count where bytes[position + index] != text.utf8Start[index] { return false }
        position += count
        return true
    }

    private mutating func skipBlanks() {
        while let byte = current, byte == 0x20 || byte == 0x09 { position += 1 }
    }

    /// The rest of the line, if it is nothing or a comment, with the line's ending.
    private mutating func endOfLine() -> Bool {
        skipBlanks()
        if current == UInt8(ascii: "#") {
            while let byte = current, byte != 0x0a { position += 1 }
        }
        _ = take("\r")
        return isAtEnd || take("\n")
    }

    /// The next statement; nil if there is none that can be read.
    mutating func statement() -> TOMLText.Statement? {
        let start = position
        guard let item = item(), endOfLine() else { return nil }
        return TOMLText.Statement(item: item, text: String(decoding: bytes[start..<position], as: UTF8.self))
    }

    private mutating func item() -> TOMLText.Item? {
        skipBlanks()
        switch current {
        case nil, 0x0a, 0x0d, UInt8(ascii: "#"): return .space
        case UInt8(ascii: "["):
            let isArray = take("[[")
            if !isArray { _ = take("[") }
            guard let key = key(), isArray ? take("]]") : take("]") else { return nil }
            return .header(key)
        default:
            guard let key = key(), take("=") else { return nil }
            skipBlanks()
            let start = position
            guard value() else { return nil }
            return .entry(key, value: String(decoding: bytes[start..<position], as: UTF8.self))
        }
    }

    private mutating func key() -> [String]? {
        var parts: [String] = []
        repeat {
            skipBlanks()
            guard let part = keyPart() else { return nil }
            parts.append(part)
            skipBlanks()
        } while take(".")
        return parts
    }

    private mutating func keyPart() -> String? {
        let start = position
        if current == UInt8(ascii: "\"") || current == UInt8(ascii: "'") {
            guard string() else { return nil }
            return Self.unescaped(bytes[(start + 1)..<(position - 1)], isLiteral: bytes[start] == UInt8(ascii: "'"))
        }
        while let byte = current, Self.isBareKey(byte) { position += 1 }
        return position > start ? String(decoding: bytes[start..<position], as: UTF8.self) : nil
    }

    /// Enough for the keys that are compared here: no key of ours has an escape but of a quote or a backslash.
    private static func unescaped(_ bytes: ArraySlice<UInt8>, isLiteral: Bool) -> String {
        let text = String(decoding: bytes, as: UTF8.self)
        return isLiteral ? text : text.replacing("\\\"", with: "\"").replacing("\\\\", with: "\\")
    }

    /// Passes over a value.
    private mutating func value() -> Bool {
        switch current {
        case UInt8(ascii: "\""), UInt8(ascii: "'"): return string()
        case UInt8(ascii: "["), UInt8(ascii: "{"): return nested()
        default:
            let start = position
            while let byte = current, ![0x0a, 0x0d, 0x2c, 0x5d, 0x7d, 0x23].contains(byte) { position += 1 }
            while position > start, bytes[position - 1] == 0x20 || bytes[position - 1] == 0x09 { position -= 1 }
            return position > start
        }
    }

    /// Passes over an array or an inline table with all that is in it.
    private mutating func nested() -> Bool {
        var depth = 0
        while let byte = current {
            switch byte {
            case UInt8(ascii: "["), UInt8(ascii: "{"): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth -= 1
            case UInt8(ascii: "\""), UInt8(ascii: "'"):
                guard string() else { return false }
                continue
            case UInt8(ascii: "#"):
                while let byte = current, byte != 0x0a { position += 1 }
                continue
            default: break
            }
            position += 1
            if depth == 0 { return true }
        }
        return false
    }

    /// Passes over a string of any of the four kinds.
    private mutating func string() -> Bool {
        if take("\"\"\"") { return closed(by: "\"\"\"", escapes: true, lines: true) }
        if take("'''") { return closed(by: "'''", escapes: false, lines: true) }
        if take("\"") { return closed(by: "\"", escapes: true, lines: false) }
        return take("'") && closed(by: "'", escapes: false, lines: false)
    }

    private mutating func closed(by end: StaticString, escapes: Bool, lines: Bool) -> Bool {
        while let byte = current {
            if take(end) {
                // Up to two quotes may stand before the three that end it.
                while lines, current == end.utf8Start[0] { position += 1 }
                return true
            }
            if byte == 0x0a, !lines { return false }
            position += escapes && byte == UInt8(ascii: "\\") ? 2 : 1
        }
        return false
    }
}
