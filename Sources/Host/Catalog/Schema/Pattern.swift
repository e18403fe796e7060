/// A regular expression in the part of ECMAScript's syntax (with its `u` flag) that has one meaning everywhere:
/// literals, `.`, classes with ranges, `\d \w \s` and their complements, escapes of syntax characters,
/// `\t \n \v \f \r \xHH \uHHHH \u{H…}`, groups, alternation, `* + ? {n} {n,} {n,m}` (also lazy: the same here),
/// `^` and `$`. Look-around, back-references, `\b`, `\p` and flags are refused. Matching looks at each code
/// point once, whatever the expression (Thompson 1968), so none can be made slow by its input.
struct Pattern: Sendable {
    /// Why an expression was not accepted.
    struct Refusal: Error { var reason: String }

    /// One step of the matching program.
    enum Instruction: Sendable {
        /// Takes a code point of `sets[index]`.
        case take(Int)
        /// Goes on at both places.
        case split(Int, Int)
        case jump(Int)
        case assertStart
        case assertEnd
        case match
    }

    /// Repetitions are unrolled; beyond this an expression is refused.
    static let instructionLimit = 2_000

    let program: [Instruction]
    let sets: [ScalarSet]

    init(_ text: String) throws(Refusal) {
        var parser = PatternParser(text)
        let tree = try parser.parse()
        var builder = PatternBuilder()
        try builder.add(tree)
        try builder.append(.match)
        program = builder.program
        sets = builder.sets
    }

    /// Whether the expression matches anywhere in `text`.
    func matches(_ text: String) -> Bool {
        var matcher = PatternMatcher(self)
        return matcher.run(text)
    }
}

/// A set of code points as sorted inclusive ranges, or the complement of one.
struct ScalarSet: Sendable {
    var ranges: [ClosedRange<UInt32>] = []
    var isNegated = false

    func contains(_ scalar: UInt32) -> Bool {
        for range in ranges where range.contains(scalar) { return !isNegated }
        return isNegated
    }

    /// The ranges outside, for a complement inside a class.
    var complement: [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
            next = max(next, range.upperBound + 1)
        }
        if next <= 0x10ffff { result.append(next...0x10ffff) }
        return result
    }

    static let digits = ScalarSet(ranges: [0x30...0x39])
    static let wordCharacters = ScalarSet(ranges: [0x30...0x39, 0x41...0x5a, 0x5f...0x5f, 0x61...0x7a])
    /// ECMA-262: WhiteSpace and LineTerminator.
    static let spaces = ScalarSet(ranges: [
        0x09...0x0d, 0x20...0x20, 0xa0...0xa0, 0x1680...0x1680, 0x2000...0x200a, 0x2028...0x2029, 0x202f...0x202f,
        0x205f...0x205f, 0x3000...0x3000, 0xfeff...0xfeff,
    ])
    static let lineTerminators = ScalarSet(ranges: [0x0a...0x0a, 0x0d...0x0d, 0x2028...0x2029])
}

/// The expression as a tree.
indirect enum PatternTree {
    case empty
    case set(ScalarSet)
    case start
    case end
    case sequence([PatternTree])
    case choice([PatternTree])
    /// `maximum` nil means without bound.
    case repetition(PatternTree, minimum: Int, maximum: Int?)
}

/// Lays a tree out as a program.
struct PatternBuilder {
    private(set) var program: [Pattern.Instruction] = []
    private(set) var sets: [ScalarSet] = []

    mutating func append(_ instruction: Pattern.Instruction) throws(Pattern.Refusal) {
        guard program.count < Pattern.instructionLimit else {
            throw Pattern.Refusal(reason: "it is too large once its repetitions are written out")
        }
        program.append(instruction)
    }

    mutating func add(_ tree: PatternTree) throws(Pattern.Refusal) {
        switch tree {
        case .empty: break
        case .set(let set):
            sets.append(set)
            try append(.take(sets.count - 1))
        case .start: try append(.assertStart)
        case .end: try append(.assertEnd)
        case .sequence(let parts): for part in parts { try add(part) }
        case .choice(let parts): try addChoice(parts)
        case .repetition(let part, let minimum, let maximum): try addRepetition(part, minimum, maximum)
        }
    }

    private mutating func addChoice(_ parts: [PatternTree]) throws(Pattern.Refusal) {
        var jumps: [Int] = []
        for (position, part) in parts.enumerated() {
            guard position < parts.count - 1 else {
                try add(part)
                break
            }
            let split = program.count
            try append(.split(split + 1, split + 1))
            try add(part)
            jumps.append(program.count)
            try append(.jump(0))
            program[split] = .split(split + 1, program.count)
        }
        for jump in jumps { program[jump] = .jump(program.count) }
    }

    private mutating func addRepetition(
        _ part: PatternTree, _ minimum: Int, _ maximum: Int?
    ) throws(Pattern.Refusal) {
        for _ in 0..<minimum { try add(part) }
        guard let maximum else {
            let split = program.count
            try append(.split(split + 1, split + 1))
            try add(part)
            try append(.jump(split))
            program[split] = .split(split + 1, program.count)
            return
        }
        var splits: [Int] = []
        for _ in minimum..<max(minimum, maximum) {
            splits.append(program.count)
            try append(.split(0, 0))
            try add(part)
        }
        for split in splits { program[split] = .split(split + 1, program.count) }
    }
}
