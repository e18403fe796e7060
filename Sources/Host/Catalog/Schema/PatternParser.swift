/// Reads an expression into a tree; refuses what it does not know, or knows to differ between engines.
struct PatternParser {
    private static let nestingLimit = 40
    private static let repetitionLimit = 1_000

    private let scalars: [Unicode.Scalar]
    private var position = 0
    private var nesting = 0

    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    mutating func parse() throws(Pattern.Refusal) -> PatternTree {
        let tree = try choice()
        guard position == scalars.count else { throw refuse("a ) without its (") }
        return tree
    }

    private var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    private func refuse(_ reason: String) -> Pattern.Refusal {
        Pattern.Refusal(reason: "\(reason) (at character \(position + 1))")
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard current == scalar else { return false }
        position += 1
        return true
    }

    private mutating func choice() throws(Pattern.Refusal) -> PatternTree {
        var parts = [try sequence()]
        while take("|") { parts.append(try sequence()) }
        return parts.count == 1 ? parts[0] : .choice(parts)
    }

    private mutating func sequence() throws(Pattern.Refusal) -> PatternTree {
        var parts: [PatternTree] = []
        while let next = current, next != "|", next != ")" {
            if take("^") {
                parts.append(.start)
            } else if take("$") {
                parts.append(.end)
            } else {
                parts.append(try quantified(try atom()))
            }
        }
        return parts.count == 1 ? parts[0] : .sequence(parts)
    }

    private mutating func atom() throws(Pattern.Refusal) -> PatternTree {
        guard let next = current else { throw refuse("unexpected end") }
        switch next {
        case "(": return try group()
        case "[": return .set(try characterClass())
        case "\\": return .set(try escape(isInClass: false))
        case ".":
            position += 1
            return .set(ScalarSet(ranges: ScalarSet.lineTerminators.ranges, isNegated: true))
        case "*", "+", "?", "{", "}", "]": throw refuse("a bare \(next); write \\\(next)")
        default:
            position += 1
            return .set(ScalarSet(ranges: [next.value...next.value]))
        }
    }

    private mutating func group() throws(Pattern.Refusal) -> PatternTree {
        position += 1
        nesting += 1
        defer { nesting -= 1 }
        guard nesting <= Self.nestingLimit else { throw refuse("groups nested deeper than \(Self.nestingLimit)") }
        if take("?") {
            guard take(":") else { throw refuse("look-around, named groups and flags are not known") }
        }
        let tree = try choice()
        guard take(")") else { throw refuse("a ( without its )") }
        return tree
    }

    private mutating func quantified(_ tree: PatternTree) throws(Pattern.Refusal) -> PatternTree {
        var result = tree
        if take("*") {
            result = .repetition(tree, minimum: 0, maximum: nil)
        } else if take("+") {
            result = .repetition(tree, minimum: 1, maximum: nil)
        } else if take("?") {
            result = .repetition(tree, minimum: 0, maximum: 1)
        } else if take("{") {
            let minimum = try number()
            let maximum: Int? = take(",") ? (current == "}" ? nil : try number()) : minimum
            guard take("}") else { throw refuse("a { without its }") }
            guard maximum ?? minimum >= minimum else { throw refuse("a repetition whose bounds are out of order") }
            result = .repetition(tree, minimum: minimum, maximum: maximum)
        } else {
            return tree
        }
        _ = take("?")
        return result
    }

    private mutating func number() throws(Pattern.Refusal) -> Int {
        var value = 0
        let start = position
        while let digit = current?.value, digit >= 0x30, digit <= 0x39 {
            value = value * 10 + Int(digit - 0x30)
            guard value <= Self.repetitionLimit else { throw refuse("more than \(Self.repetitionLimit) repetitions") }
            position += 1
        }
        guard position > start else { throw refuse("a repetition needs a number") }
        return value
    }

    private mutating func characterClass() throws(Pattern.Refusal) -> ScalarSet {
        position += 1
        var set = ScalarSet()
        set.isNegated = take("^")
        while !take("]") {
            let low = try classAtom()
            guard current == "-", position + 1 < scalars.count, scalars[position + 1] != "]" else {
                set.ranges += low.isNegated ? low.complement : low.ranges
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

    private mutating func escape(isInClass: Bool) throws(Pattern.Refusal) -> ScalarSet {
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
        case "x": return one(try hex(digits: 2))
        case "u": return one(try unicodeEscape())
        case "^", "$", "\\", ".", "*", "+", "?", "(", ")", "[", "]", "{", "}", "|", "/": return one(next.value)
        case "-" where isInClass: return one(next.value)
        default: throw refuse("the escape \\\(next) is not known")
        }
    }

    private mutating func unicodeEscape() throws(Pattern.Refusal) -> UInt32 {
        guard take("{") else {
            let high = try hex(digits: 4)
            guard high & 0xfc00 == 0xd800, take("\\"), take("u") else { return high }
            let low = try hex(digits: 4)
            guard low & 0xfc00 == 0xdc00 else { throw refuse("a surrogate without its pair") }
            return 0x10000 + (high & 0x3ff) << 10 + (low & 0x3ff)
        }
        var value: UInt32 = 0
        while let digit = current, let part = Character(digit).hexDigitValue {
            value = value << 4 | UInt32(part)
            guard value <= 0x10ffff else { throw refuse("no such code point") }
            position += 1
        }
        guard take("}") else { throw refuse("a \\u{ without its }") }
        return value
    }

    private mutating func hex(digits: Int) throws(Pattern.Refusal) -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<digits {
            guard let digit = current, let part = Character(digit).hexDigitValue else {
                throw refuse("an escape that needs \(digits) hexadecimal digits")
            }
            value = value << 4 | UInt32(part)
            position += 1
        }
        return value
    }
}

extension ScalarSet {
    /// The one code point in it, if there is just one.
    fileprivate var single: UInt32? {
        guard !isNegated, ranges.count == 1, let range = ranges.first, range.count == 1 else { return nil }
        return range.lowerBound
    }
}
