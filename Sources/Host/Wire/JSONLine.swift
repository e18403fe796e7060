/// What it takes to put foreign bytes into a JSON string: found out first, so that everything around them can be
/// written with exact lengths and nothing has to be moved.
struct JSONLine {
    /// Bytes of the escaped text; meaningless unless `isUTF8`.
    private(set) var escapedCount: Int
    /// Whether the bytes are well-formed UTF-8 (no surrogates, no overlong forms; Unicode 15.0, table 3-7).
    private(set) var isUTF8 = true

    /// Reads `text` once, eight plain ASCII bytes at a time.
    init(scanning text: UnsafeRawBufferPointer) {
        escapedCount = text.count
        var index = 0
        let count = text.count
        while index < count {
            if count - index >= 8 {
                let special = Self.special(in: text.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                if special == 0 {
                    index += 8
                    continue
                }
                index += special.trailingZeroBitCount >> 3
            }
            let byte = text[index]
            if byte < 0x80 {
                escapedCount += Self.addedByEscaping(byte)
                index += 1
                continue
            }
            // What is not ASCII is seldom alone: stay here while it lasts.
            repeat {
                let length = Self.scalarLength(text, index)
                guard length > 0 else {
                    isUTF8 = false
                    return
                }
                index += length
            } while index < count && text[index] >= 0x80
        }
    }

    /// The high bit of each byte that is not ASCII, a control character, a quote or a backslash. Only the lowest
    /// bit that is set can be relied on (a borrow may set bits above it); 0 means that all eight are plain.
    static func special(in word: UInt64) -> UInt64 {
        let word = UInt64(littleEndian: word)
        let ones: UInt64 = 0x0101_0101_0101_0101
        let quotes = word ^ (ones &* 0x22)
        let backslashes = word ^ (ones &* 0x5c)
        let control = (word &- ones &* 0x20) & ~word
        return (word | control | ((quotes &- ones) & ~quotes) | ((backslashes &- ones) & ~backslashes))
            & (ones &* 0x80)
    }

    static func addedByEscaping(_ byte: UInt8) -> Int {
        if byte >= 0x20 { return byte == 0x22 || byte == 0x5c ? 1 : 0 }
        return shortEscape(byte) == 0 ? 5 : 1
    }

    /// The letter after the backslash for control characters that have one, else 0.
    static func shortEscape(_ byte: UInt8) -> UInt8 {
        switch byte {
        case 0x08: UInt8(ascii: "b")
        case 0x09: UInt8(ascii: "t")
        case 0x0a: UInt8(ascii: "n")
        case 0x0c: UInt8(ascii: "f")
        case 0x0d: UInt8(ascii: "r")
        default: 0
        }
    }

    /// The number of bytes of the well-formed sequence at `index` that begins with a byte of 0x80 or more, or 0.
    private static func scalarLength(_ text: UnsafeRawBufferPointer, _ index: Int) -> Int {
        let first = text[index]
        let length = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
        guard first >= 0xc2, first <= 0xf4, text.count - index >= length else { return 0 }
        let second = text[index + 1]
        // The first byte narrows what the second may be: no overlong forms, no surrogates, nothing past U+10FFFF.
        let low: UInt8 = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80
        let high: UInt8 = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf
        guard second >= low, second <= high else { return 0 }
        if length >= 3, text[index + 2] & 0xc0 != 0x80 { return 0 }
        if length == 4, text[index + 3] & 0xc0 != 0x80 { return 0 }
        return length
    }
}
