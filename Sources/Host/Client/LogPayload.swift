package import DomeModel

/// A log event's payload, read without building a document: output is the hot path of every follower.
package struct LogPayload: Sendable, Equatable {
    package var stream = OutputStream.none
    /// The line's bytes, without a newline; exactly as the tool wrote them.
    package var line: [UInt8] = []
    /// Whether the line goes on in a later event, or had no newline at the end of the output.
    package var isPartial = false
    /// The first event of a line in pieces; 0 for a whole one.
    package var lineID: UInt64 = 0
    /// Set for a progress event, which has no line.
    package var progress: Double?

    /// Reads `{"stream","line"|"line_b64","partial","line_id"}` or `{"value"}`; nil if it is none of these.
    init?(_ json: UnsafeRawBufferPointer) {
        var scanner = JSONScanner(json)
        var hasLine = false
        guard scanner.take(UInt8(ascii: "{")) else { return nil }
        if scanner.take(UInt8(ascii: "}")) { return nil }
        var key: [UInt8] = []
        repeat {
            key.removeAll(keepingCapacity: true)
            guard scanner.string(into: &key), scanner.take(UInt8(ascii: ":")) else { return nil }
            if Self.matches(key, "line") {
                hasLine = true
                guard scanner.string(into: &line) else { return nil }
            } else if Self.matches(key, "stream") {
                var name: [UInt8] = []
                guard scanner.string(into: &name) else { return nil }
                stream = Self.matches(name, "stderr") ? .stderr : Self.matches(name, "stdout") ? .stdout : .none
            } else if Self.matches(key, "line_b64") {
                var text: [UInt8] = []
                guard scanner.string(into: &text), let bytes = Base64.decode(text) else { return nil }
                hasLine = true
                line = bytes
            } else {
                guard let word = scanner.value() else { return nil }
                take(String(decoding: key, as: UTF8.self), word)
            }
        } while scanner.take(UInt8(ascii: ","))
        guard scanner.take(UInt8(ascii: "}")), hasLine || progress != nil else { return nil }
    }

    private mutating func take(_ key: String, _ value: UnsafeRawBufferPointer) {
        switch key {
        case "partial": isPartial = value.first == UInt8(ascii: "t")
        case "line_id": lineID = UInt64(String(decoding: value, as: UTF8.self)) ?? 0
        case "value": progress = Double(String(decoding: value, as: UTF8.self))
        default: break
        }
    }

    private static func matches(_ bytes: [UInt8], _ word: StaticString) -> Bool {
        guard bytes.count == word.utf8CodeUnitCount else { return false }
        for index in bytes.indices where bytes[index] != word.utf8Start[index] { return false }
        return true
    }
}

/// Walks over one JSON object; strict where it reads, trusting where it skips.
struct JSONScanner {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0

    init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    private mutating func skipSpace() {
        while position < bytes.count, bytes[position] <= 0x20 { position += 1 }
    }

    mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    /// Appends the string's bytes, escapes resolved.
    mutating func string(into output: inout [UInt8]) -> Bool {
        guard take(UInt8(ascii: "\"")) else { return false }
        while true {
            let start = position
            while position < bytes.count, bytes[position] != UInt8(ascii: "\""), bytes[position] != UInt8(ascii: "\\") {
                position += 1
            }
            output.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes[start..<position]))
            guard position < bytes.count else { return false }
            position += 1
            if bytes[position - 1] == UInt8(ascii: "\"") { return true }
            guard escape(into: &output) else { return false }
        }
    }

    private mutating func escape(into output: inout [UInt8]) -> Bool {
        guard position < bytes.count else { return false }
        let letter = bytes[position]
        position += 1
        switch letter {
        case UInt8(ascii: "n"): output.append(0x0a)
        case UInt8(ascii: "t"): output.append(0x09)
        case UInt8(ascii: "r"): output.append(0x0d)
        case UInt8(ascii: "b"): output.append(0x08)
        case UInt8(ascii: "f"): output.append(0x0c)
        case UInt8(ascii: "u"): return unicodeEscape(into: &output)
        default: output.append(letter)
        }
        return true
    }

    private mutating func unicodeEscape(into output: inout [UInt8]) -> Bool {
        guard var code = hexQuad() else { return false }
        if code & 0xfc00 == 0xd800, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        {
            position += 2
            guard let low = hexQuad(), low & 0xfc00 == 0xdc00 else { return false }
            code = 0x10000 + (code & 0x3ff) << 10 + (low & 0x3ff)
        }
        guard let scalar = Unicode.Scalar(code), let encoded = UTF8.encode(scalar) else { return false }
        output.append(contentsOf: encoded)
        return true
    }

    private mutating func hexQuad() -> UInt32? {
        guard position + 4 <= bytes.count else { return nil }
        var value: UInt32 = 0
        for byte in bytes[position..<(position + 4)] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { return nil }
            value = value << 4 | UInt32(digit)
        }
        position += 4
        return value
    }

    /// The next value, whatever it is, as text.
    mutating func value() -> UnsafeRawBufferPointer? {
        skipSpace()
        let start = position
        var depth = 0
        var ignored: [UInt8] = []
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                ignored.removeAll(keepingCapacity: true)
                guard string(into: &ignored) else { return nil }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return UnsafeRawBufferPointer(rebasing: bytes[start..<position]) }
                depth -= 1
            case UInt8(ascii: ",") where depth == 0:
                return UnsafeRawBufferPointer(rebasing: bytes[start..<position])
            default: break
            }
            position += 1
        }
        return nil
    }
}
