/// A program as a table for ASCII text: a state and the next character give the next state. Made when the expression
/// is compiled, if that is cheap.
struct PatternTable: Sendable {
    private static let stateLimit = 200
    /// Instructions looked at while the table is made.
    private static let workLimit = 60_000
    private static let matched: UInt16 = .max

    /// Characters that no set tells apart share a class.
    private let classes: [UInt8]
    private let classCount: Int
    private let next: [UInt16]
    /// Whether the text may end in a state.
    private let mayEnd: [Bool]

    /// Nil if the table would be too large, or the expression looks at word edges.
    init?(_ program: [Pattern.Instruction], _ sets: [ScalarSet]) {
        guard !program.contains(where: { if case .assertWordEdge = $0 { true } else { false } }) else { return nil }
        guard let (classes, samples) = Self.classes(sets) else { return nil }
        var maker = Maker(program: program, sets: sets)
        guard let first = maker.state([0], isAtStart: true) else { return nil }
        var next: [UInt16] = []
        var position = 0
        while position < maker.states.count {
            let threads = maker.states[position].threads
            for sample in samples {
                if first == Self.matched {
                    next.append(Self.matched)
                    continue
                }
                var seeds = [0]
                for index in threads {
                    if case .take(let set) = program[index], sets[set].contains(sample) { seeds.append(index + 1) }
                }
                guard let state = maker.state(seeds, isAtStart: false), maker.states.count <= Self.stateLimit else {
                    return nil
                }
                next.append(state)
            }
            position += 1
        }
        self.classes = classes
        classCount = samples.count
        self.next = next
        mayEnd = first == Self.matched ? [] : maker.states.map(\.mayEnd)
    }

    /// Whether `text` matches; nil if it is not ASCII.
    func run(_ text: UnsafeRawBufferPointer) -> Bool? {
        guard !mayEnd.isEmpty else { return true }
        var state = 0
        for byte in text {
            guard byte < 0x80 else { return nil }
            let target = next[state * classCount + Int(classes[Int(byte)])]
            if target == Self.matched { return true }
            state = Int(target)
        }
        return mayEnd[state]
    }

    /// The class of each ASCII character, and a character of each class.
    private static func classes(_ sets: [ScalarSet]) -> (classes: [UInt8], samples: [UInt32])? {
        guard sets.count <= 256 else { return nil }
        var known: [[Bool]: UInt8] = [:]
        var classes: [UInt8] = []
        var samples: [UInt32] = []
        for scalar in UInt32(0)..<128 {
            let signature = sets.map { $0.contains(scalar) }
            let index = known[signature] ?? UInt8(samples.count)
            if known[signature] == nil {
                known[signature] = index
                samples.append(scalar)
            }
            classes.append(index)
        }
        return (classes, samples)
    }

    private struct State: Hashable {
        var threads: [Int]
        var mayEnd: Bool
    }

    private struct Maker {
        let program: [Pattern.Instruction]
        let sets: [ScalarSet]
        var states: [State] = []
        private var indices: [State: UInt16] = [:]
        private var work = 0

        init(program: [Pattern.Instruction], sets: [ScalarSet]) { (self.program, self.sets) = (program, sets) }

        /// The state of threads at `seeds`; nil if the work is too much.
        mutating func state(_ seeds: [Int], isAtStart: Bool) -> UInt16? {
            let open = closure(seeds, isAtStart: isAtStart, isAtEnd: false)
            guard work <= PatternTable.workLimit else { return nil }
            guard !open.hasMatched else {
                // The first state is there even if it is never left.
                if states.isEmpty { states.append(State(threads: [], mayEnd: true)) }
                return PatternTable.matched
            }
            let mayEnd = closure(seeds, isAtStart: isAtStart, isAtEnd: true).hasMatched
            let state = State(threads: open.threads, mayEnd: mayEnd)
            if let index = indices[state] { return index }
            let index = UInt16(truncatingIfNeeded: states.count)
            states.append(state)
            indices[state] = index
            return index
        }

        private mutating func closure(
            _ seeds: [Int], isAtStart: Bool, isAtEnd: Bool
        ) -> (threads: [Int], hasMatched: Bool) {
            var reached: Set<Int> = []
            var threads: [Int] = []
            var stack = seeds
            while let index = stack.popLast() {
                work += 1
                guard reached.insert(index).inserted else { continue }
                switch program[index] {
                case .take: threads.append(index)
                case .split(let first, let second): stack += [first, second]
                case .jump(let target): stack.append(target)
                case .assertStart: if isAtStart { stack.append(index + 1) }
                case .assertEnd: if isAtEnd { stack.append(index + 1) }
                case .assertWordEdge: break
                case .match: return ([], true)
                }
            }
            return (threads.sorted(), false)
        }
    }
}
