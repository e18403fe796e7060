// Numbers.
extension JSONTreeParser {
    /// Exponents of more digits are of no number that means anything, and would not fit a register.
    private static let exponentDigitLimit = 15

    private mutating func digits() -> Int {
        let start = position
        while position < bytes.count, bytes[position] &- 0x30 <= 9 { position += 1 }
        return position - start
    }

    mutating func number() throws(SyntaxError) -> JSONTree.Node {
        let start = position
        var isInteger = true
        let isNegative = current == UInt8(ascii: "-")
        if isNegative { position += 1 }
        let first = current
        let integerDigits = digits()
        guard integerDigits > 0 else { throw fail("a number needs digits") }
        guard integerDigits == 1 || first != UInt8(ascii: "0") else { throw fail("a number must not start with 0") }
        if integerDigits <= 18, current.map({ $0 != UInt8(ascii: ".") && $0 | 0x20 != UInt8(ascii: "e") }) ?? true {
            var value: Int64 = 0
            for index in position - integerDigits..<position { value = value &* 10 &+ Int64(bytes[index] &- 0x30) }
            return JSONTree.Node(integer: isNegative ? 0 - value : value)
        }
        if current == UInt8(ascii: ".") {
            isInteger = false
            position += 1
            guard digits() > 0 else { throw fail("digits must follow the point") }
        }
        if let byte = current, byte | 0x20 == UInt8(ascii: "e") {
            isInteger = false
            position += 1
            if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
            while current == UInt8(ascii: "0"), position + 1 < bytes.count, bytes[position + 1] &- 0x30 <= 9 {
                position += 1
            }
            let exponentDigits = digits()
            guard exponentDigits > 0 else { throw fail("digits must follow the exponent") }
            guard exponentDigits <= Self.exponentDigitLimit else {
                throw SyntaxError(reason: "the number is too large: its exponent is out of bounds", position: position)
            }
        }
        let literal = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
        if isInteger, let value = Int64(String(decoding: literal, as: UTF8.self)) {
            return JSONTree.Node(integer: value)
        }
        return JSONTree.Node(
            .decimal, start: UInt32(truncatingIfNeeded: start), count: UInt32(truncatingIfNeeded: literal.count))
    }
}

// Strings.
extension JSONTreeParser {
    typealias TextPlace = (start: UInt32, count: UInt32)

    /// The text in quotes at `position`, checked; where it stands in the tree's text.
    mutating func string() throws(SyntaxError) -> TextPlace {
        position += 1
        let start = position
        var isASCII = true
        skipPlain(&isASCII)
        guard let end = current else { throw fail("the string does not end") }
        if end == UInt8(ascii: "\"") {
            let text = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
            if !isASCII { try check(text, at: start) }
            position += 1
            return (UInt32(truncatingIfNeeded: start), UInt32(truncatingIfNeeded: text.count))
        }
        let sideStart = side.count
        side.append(contentsOf: bytes[start..<position])
        while true {
            guard let byte = current else { throw fail("the string does not end") }
            guard byte >= 0x20 else { throw fail("a control character must be escaped") }
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") {
                position += 1
                try escape()
            } else {
                let run = position
                skipPlain(&isASCII)
                side.append(contentsOf: bytes[run..<position])
            }
        }
        position += 1
        let count = side.count - sideStart
        if !isASCII {
            try side.withUnsafeBytes { (raw) -> Result<Void, SyntaxError> in
                do throws(SyntaxError) {
                    return .success(try check(UnsafeRawBufferPointer(rebasing: raw[sideStart...]), at: start))
                } catch {
                    return .failure(error)
                }
            }.get()
        }
        return (UInt32(truncatingIfNeeded: bytes.count + sideStart), UInt32(truncatingIfNeeded: count))
    }

    /// On to the next quote, backslash or control character.
    private mutating func skipPlain(_ isASCII: inout Bool) {
        let ones: UInt64 = 0x0101_0101_0101_0101
        while position + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self)
            let quotes = word ^ (ones &* 0x22)
            let slashes = word ^ (ones &* 0x5c)
            let special =
                ((quotes &- ones) & ~quotes) | ((slashes &- ones) & ~slashes) | ((word &- (ones &* 0x20)) & ~word)
                | word
            guard special & (ones &* 0x80) == 0 else { break }
            position += 8
        }
        while position < bytes.count {
            let byte = bytes[position]
            guard byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\"), byte >= 0x20 else { return }
            if byte >= 0x80 { isASCII = false }
            position += 1
        }
    }

    private func check(_ text: UnsafeRawBufferPointer, at start: Int) throws(SyntaxError) {
        guard UTF8Text.isValid(text) else {
            throw SyntaxError(reason: "the string is not valid UTF-8", position: start)
        }
    }

    private mutating func escape() throws(SyntaxError) {
        guard let byte = current else { throw fail("the string does not end") }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): side.append(byte)
        case UInt8(ascii: "b"): side.append(0x08)
        case UInt8(ascii: "f"): side.append(0x0c)
        case UInt8(ascii: "n"): side.append(0x0a)
        case UInt8(ascii: "r"): side.append(0x0d)
        case UInt8(ascii: "t"): side.append(0x09)
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
            side.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
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

/// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing beyond U+10FFFF.
enum UTF8Text {
    static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var position = 0
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            guard byte >= 0x80 else { continue }
            let more: Int
            var least: UInt8 = 0x80
            var most: UInt8 = 0xbf
            switch byte {
            case 0xc2...0xdf: more = 1
            case 0xe0: (more, least) = (2, 0xa0)
            case 0xed: (more, most) = (2, 0x9f)
            case 0xe1...0xef: more = 2
            case 0xf0: (more, least) = (3, 0x90)
            case 0xf4: (more, most) = (3, 0x8f)
            case 0xf1...0xf3: more = 3
            default: return false
            }
            guard position + more <= bytes.count, (least...most).contains(bytes[position]) else { return false }
            for index in position + 1..<position + more where bytes[index] & 0xc0 != 0x80 { return false }
            position += more
        }
        return true
    }
}
