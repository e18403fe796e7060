/// Runs a program over a text, all threads in step.
struct PatternMatcher {
    private let pattern: Pattern
    /// The `take` instructions that wait for the next code point.
    private var waiting: [Int] = []
    private var next: [Int] = []
    /// The step in which an instruction was last reached.
    private var reached: [Int]
    private var step = 0
    private var stack: [Int] = []

    init(_ pattern: Pattern) {
        self.pattern = pattern
        reached = [Int](repeating: -1, count: pattern.program.count)
    }

    mutating func run(_ text: String) -> Bool {
        var isAtStart = true
        var scalars = text.unicodeScalars.makeIterator()
        var scalar = scalars.next()
        while true {
            // A match may begin at every place: a new thread each step.
            if follow(0, isAtStart: isAtStart, isAtEnd: scalar == nil) { return true }
            guard let value = scalar?.value else { return false }
            scalar = scalars.next()
            isAtStart = false
            step += 1
            swap(&waiting, &next)
            waiting.removeAll(keepingCapacity: true)
            for index in next {
                guard case .take(let set) = pattern.program[index], pattern.sets[set].contains(value) else { continue }
                if follow(index + 1, isAtStart: false, isAtEnd: scalar == nil) { return true }
            }
        }
    }

    /// Goes from `start` through everything that takes no code point; true if that reaches the match.
    private mutating func follow(_ start: Int, isAtStart: Bool, isAtEnd: Bool) -> Bool {
        stack.append(start)
        while let index = stack.popLast() {
            guard reached[index] != step else { continue }
            reached[index] = step
            switch pattern.program[index] {
            case .take: waiting.append(index)
            case .split(let first, let second):
                stack.append(second)
                stack.append(first)
            case .jump(let target): stack.append(target)
            case .assertStart: if isAtStart { stack.append(index + 1) }
            case .assertEnd: if isAtEnd { stack.append(index + 1) }
            case .match: return true
            }
        }
        return false
    }
}
