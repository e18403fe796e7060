/// Reads an expression into a tree.
struct PatternParser {
    private static let nestingLimit = 40
    private static let repetitionLimit = 1_000

    let scalars: [Unicode.Scalar]
    var position = 0
    private var nesting = 0
    /// Escapes of punctuation outside the syntax (\-, \@) are no ECMA-262, but mean one thing everywhere and are
    /// common.
    let isStrict: Bool
    /// The first thing that is part of the language but not matched here.
    private(set) var unsupported: String?

    init(_ text: String, isStrict: Bool = false) {
        scalars = Array(text.unicodeScalars)
        self.isStrict = isStrict
    }

    mutating func parse() throws(Pattern.Refusal) -> PatternTree {
        let tree = try choice()
        guard position == scalars.count else { throw refuse("a ) without its (") }
        return tree
    }

    var current: Unicode.Scalar? { position < scalars.count ? scalars[position] : nil }

    func refuse(_ reason: String) -> Pattern.Refusal {
        Pattern.Refusal(reason: "\(reason) (at character \(position + 1))")
    }

    mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard current == scalar else { return false }
        position += 1
        return true
    }

    private mutating func choice() throws(Pattern.Refusal) -> PatternTree {
        var parts = [try sequence()]
        while take("|") { parts.append(try sequence()) }
        return parts.count == 1 ? parts[0] : .choice(parts)
    }

    mutating func decline(_ what: String) {
        unsupported = unsupported ?? refuse("\(what) cannot be matched in bounded time and are not supported").reason
    }

    private mutating func takeAssertion() -> PatternTree? {
        if take("^") { return .start }
        if take("$") { return .end }
        guard current == "\\", position + 1 < scalars.count else { return nil }
        let letter = scalars[position + 1]
        guard letter == "b" || letter == "B" else { return nil }
        position += 2
        return .wordEdge(letter == "b")
    }

    private mutating func sequence() throws(Pattern.Refusal) -> PatternTree {
        var parts: [PatternTree] = []
        while let next = current, next != "|", next != ")" {
            if let assertion = takeAssertion() {
                parts.append(assertion)
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
        let isLookAround = take("?") ? try groupKind() : false
        let tree = try choice()
        guard take(")") else { throw refuse("a ( without its )") }
        return isLookAround ? .empty : tree
    }

    /// What stands behind `(?`; true for look-around.
    private mutating func groupKind() throws(Pattern.Refusal) -> Bool {
        if take(":") { return false }
        let isBehind = take("<")
        if take("=") || take("!") {
            decline(isBehind ? "look-behinds" : "look-aheads")
            return true
        }
        guard isBehind else { throw refuse("a group that is neither (?:…), (?<name>…) nor look-around") }
        let start = position
        while let next = current, next == "_" || next == "$" || next.properties.isIDContinue { position += 1 }
        guard position > start, take(">") else { throw refuse("a group's name that does not end with >") }
        return false
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

}
