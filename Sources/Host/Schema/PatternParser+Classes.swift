// Sets of characters: classes in brackets, and escapes.
extension PatternParser {
    mutating func characterClass() throws(Pattern.Refusal) -> ScalarSet {
        position += 1
        var set = ScalarSet()
        set.isNegated = take("^")
        while !take("]") {
            let low = try classAtom()
            guard current == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else {
                set.formUnion(low)
                continue
            }
            position += 1
            let high = try classAtom()
            guard let first = low.single, let last = high.single, first <= last else {
                throw refuse("a range whose ends are out of order or no single characters")
            }
            set.ranges.append(first...last)
        }
        return set
    }

    private mutating func classAtom() throws(Pattern.Refusal) -> ScalarSet {
        guard let next = current else { throw refuse("a [ without its ]") }
        if next == "\\" { return try escape(isInClass: true) }
        position += 1
        return ScalarSet(ranges: [next.value...next.value])
    }

    mutating func escape(isInClass: Bool) throws(Pattern.Refusal) -> ScalarSet {
        position += 1
        guard let next = current else { throw refuse("a \\ at the end") }
        position += 1
        func one(_ value: UInt32) -> ScalarSet { ScalarSet(ranges: [value...value]) }
        switch next {
        case "d": return .digits
        case "D": return ScalarSet(ranges: ScalarSet.digits.ranges, isNegated: true)
        case "w": return .wordCharacters
        case "W": return ScalarSet(ranges: ScalarSet.wordCharacters.ranges, isNegated: true)
        case "s": return .spaces
        case "S": return ScalarSet(ranges: ScalarSet.spaces.ranges, isNegated: true)
        case "t": return one(0x09)
        case "n": return one(0x0a)
        case "v": return one(0x0b)
        case "f": return one(0x0c)
        case "r": return one(0x0d)
        case "b" where isInClass: return one(0x08)
        case "x": return one(try hex(digits: 2))
        case "u": return one(try unicodeEscape())
        case "c": return one(try controlLetter())
        case "p", "P": return ScalarSet(properties: [try property()], isNegated: next == "P")
        case "0" where !(current.map { ("0"..."9").contains($0) } ?? false): return one(0)
        case "^", "$", "\\", ".", "*", "+", "?", "(", ")", "[", "]", "{", "}", "|", "/": return one(next.value)
        case "-" where isInClass: return one(next.value)
        case "1"..."9" where !isInClass:
            while let digit = current, ("0"..."9").contains(digit) { position += 1 }
            decline("back-references")
            return ScalarSet()
        case "k" where !isInClass && current == "<":
            while let letter = current, letter != ">" { position += 1 }
            guard take(">") else { throw refuse("a \\k without its name") }
            decline("back-references")
            return ScalarSet()
        case "!"..."/" where !isStrict, ":"..."@" where !isStrict, "_" where !isStrict, "`" where !isStrict,
            "~" where !isStrict, " " where !isStrict:
            return one(next.value)
        default: throw refuse("the escape \\\(next) is not known")
        }
    }

    private mutating func controlLetter() throws(Pattern.Refusal) -> UInt32 {
        guard let letter = current, letter.isASCII, letter.properties.isAlphabetic else {
            throw refuse("a \\c without its letter")
        }
        position += 1
        return letter.value & 0x1f
    }

    /// `{…}` behind `\p`.
    private mutating func property() throws(Pattern.Refusal) -> UnicodeProperty {
        guard take("{") else { throw refuse("a \\p without {…}") }
        var text = ""
        while let next = current, next != "}" {
            text.unicodeScalars.append(next)
            position += 1
        }
        guard take("}") else { throw refuse("a \\p{ without its }") }
        guard let property = UnicodeProperty(text) else {
            throw refuse("no Unicode property is called \"\(text.prefix(40))\" here")
        }
        return property
    }

    private mutating func unicodeEscape() throws(Pattern.Refusal) -> UInt32 {
        guard take("{") else {
            let high = try hex(digits: 4)
            guard high & 0xfc00 == 0xd800, current == "\\" else { return high }
            let before = position
            position += 1
            if take("u"), let low = try? hex(digits: 4), low & 0xfc00 == 0xdc00 {
                return 0x10000 + (high & 0x3ff) << 10 + (low & 0x3ff)
            }
            position = before
            return high
        }
        var value: UInt32 = 0
        let start = position
        while let digit = current, let part = Self.hexValue(digit) {
            value = value << 4 | part
            guard value <= 0x10ffff else { throw refuse("no such code point") }
            position += 1
        }
        guard position > start, take("}") else { throw refuse("a \\u{ without its digits or its }") }
        return value
    }

    private mutating func hex(digits: Int) throws(Pattern.Refusal) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let digit = current, let part = Self.hexValue(digit) else {
                throw refuse("an escape that needs \(digits) hexadecimal digits")
            }
            value = value << 4 | part
            position += 1
        }
        return value
    }

    private static func hexValue(_ scalar: Unicode.Scalar) -> UInt32? {
        guard scalar.isASCII else { return nil }
        return Character(scalar).hexDigitValue.map(UInt32.init)
    }
}
