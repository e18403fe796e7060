/// A regular expression as ECMA-262 has it with the `u` flag, without what no engine can do in linear time:
/// look-around and back-references are refused by name. Matching looks at each character once, whatever the expression
/// (Thompson 1968), so none can be made slow by its input; for ASCII text mostly with one table look-up a character.
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
        /// Between a word character and none; or, if false, not so.
        case assertWordEdge(Bool)
        case match
    }

    /// Repetitions are unrolled; beyond this an expression is refused.
    static let instructionLimit = 2_000

    let program: [Instruction]
    let sets: [ScalarSet]
    private let table: PatternTable?

    init(_ text: String) throws(Refusal) {
        var parser = PatternParser(text)
        let tree = try parser.parse()
        if let reason = parser.unsupported { throw Refusal(reason: reason) }
        var builder = PatternBuilder()
        try builder.add(tree)
        try builder.append(.match)
        program = builder.program
        sets = builder.sets
        table = PatternTable(program, sets)
    }

    /// Whether `text` is an expression of ECMA-262, supported or not.
    static func isExpression(_ text: String) -> Bool {
        var parser = PatternParser(text, isStrict: true)
        return (try? parser.parse()) != nil
    }

    /// Whether the expression matches anywhere in `text`. Takes what it costs off `budget`, nil if that is not enough.
    func matches(_ text: ArraySlice<UInt8>, budget: inout Int) -> Bool? {
        text.withUnsafeBytes { bytes in
            budget -= bytes.count / 64
            if let verdict = table?.run(bytes) { return verdict }
            var matcher = PatternMatcher(self)
            return matcher.run(bytes, &budget)
        }
    }
}

/// The expression as a tree.
indirect enum PatternTree {
    case empty
    case set(ScalarSet)
    case start
    case end
    case wordEdge(Bool)
    case sequence([PatternTree])
    case choice([PatternTree])
    /// `maximum` nil means without bound.
    case repetition(PatternTree, minimum: Int, maximum: Int?)
}

/// Lays a tree out as a program.
struct PatternBuilder {
    private(set) var program: [Pattern.Instruction] = []
    private(set) var sets: [ScalarSet] = []
    private var setIndices: [ScalarSet: Int] = [:]

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
            let index = setIndices[set] ?? sets.count
            if index == sets.count {
                sets.append(set)
                setIndices[set] = index
            }
            try append(.take(index))
        case .start: try append(.assertStart)
        case .end: try append(.assertEnd)
        case .wordEdge(let isEdge): try append(.assertWordEdge(isEdge))
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
