/// Writes forward through memory whose size was computed beforehand. What would not fit is left out: a wrong
/// computation gives a wrong message, never a wild write, and in debug builds it traps.
struct RawCursor {
    private var next: UnsafeMutableRawPointer
    private let end: UnsafeMutableRawPointer

    init(_ buffer: UnsafeMutableRawBufferPointer, base: UnsafeMutableRawPointer) {
        next = base
        end = base + buffer.count
    }

    /// Bytes that are not written yet.
    var remaining: Int { end - next }

    private func fits(_ count: Int) -> Bool {
        assert(remaining >= count)
        return remaining >= count
    }

    mutating func byte(_ value: UInt8) {
        guard fits(1) else { return }
        next.storeBytes(of: value, as: UInt8.self)
        next += 1
    }

    mutating func bytes(_ source: UnsafeRawBufferPointer) {
        guard fits(source.count) else { return }
        guard let base = source.baseAddress else { return }
        next.copyMemory(from: base, byteCount: source.count)
        next += source.count
    }

    mutating func bytes(_ source: [UInt8]) {
        source.withUnsafeBytes { bytes($0) }
    }

    mutating func text(_ source: StaticString) {
        bytes(UnsafeRawBufferPointer(start: source.utf8Start, count: source.utf8CodeUnitCount))
    }

    mutating func bigEndian(_ value: UInt32) {
        guard fits(4) else { return }
        next.storeBytes(of: value.bigEndian, as: UInt32.self)
        next += 4
    }

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            byte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        byte(UInt8(truncatingIfNeeded: rest))
    }

    /// `value` as `count` decimal digits, which it must have.
    mutating func decimal(_ value: UInt64, count: Int) {
        guard fits(count) else { return }
        var rest = value
        for index in stride(from: count - 1, through: 0, by: -1) {
            let (quotient, digit) = rest.quotientAndRemainder(dividingBy: 10)
            let character = UInt8(ascii: "0") &+ UInt8(truncatingIfNeeded: digit)
            next.storeBytes(of: character, toByteOffset: index, as: UInt8.self)
            rest = quotient
        }
        next += count
    }

    static func varintCount(_ value: UInt64) -> Int {
        // (bits + 6) / 7 for 1...64 bits, without the division.
        ((64 - (value | 1).leadingZeroBitCount) * 9 + 64) >> 6
    }

    static func decimalCount(_ value: UInt64) -> Int {
        var count = 1
        var bound: UInt64 = 10
        while value >= bound {
            count += 1
            let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
            if overflow { break }
            bound = next
        }
        return count
    }
}

extension RawCursor {
    /// `text` as the inside of a JSON string; it must be UTF-8.
    mutating func escaped(_ text: UnsafeRawBufferPointer) {
        var plainStart = 0
        var index = 0
        while index < text.count {
            if text.count - index >= 8 {
                let special = JSONLine.special(in: text.loadUnaligned(fromByteOffset: index, as: UInt64.self))
                index += special == 0 ? 8 : special.trailingZeroBitCount >> 3
                if special == 0 { continue }
            }
            let character = text[index]
            if JSONLine.addedByEscaping(character) > 0 {
                bytes(UnsafeRawBufferPointer(rebasing: text[plainStart..<index]))
                escape(character)
                plainStart = index + 1
            }
            index += 1
        }
        bytes(UnsafeRawBufferPointer(rebasing: text[plainStart..<text.count]))
    }

    private mutating func escape(_ character: UInt8) {
        byte(UInt8(ascii: "\\"))
        if character >= 0x20 { return byte(character) }
        let letter = JSONLine.shortEscape(character)
        if letter != 0 { return byte(letter) }
        text("u00")
        byte(UInt8(ascii: "0") + character >> 4)
        let low = character & 0xf
        byte(low < 10 ? UInt8(ascii: "0") + low : UInt8(ascii: "a") + low - 10)
    }

    /// Base 64 with padding (RFC 4648 section 4).
    mutating func base64(_ source: UnsafeRawBufferPointer) {
        var index = 0
        while index < source.count {
            let count = min(3, source.count - index)
            var group = UInt32(source[index]) << 16
            if count > 1 { group |= UInt32(source[index + 1]) << 8 }
            if count > 2 { group |= UInt32(source[index + 2]) }
            for position in 0..<4 {
                let digit = Int(group >> UInt32(18 - 6 * position)) & 63
                byte(position <= count ? Self.base64Digits.utf8Start[digit] : UInt8(ascii: "="))
            }
            index += 3
        }
    }

    static func base64Count(_ count: Int) -> Int { (count + 2) / 3 * 4 }

    private static var base64Digits: StaticString {
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    }
}
