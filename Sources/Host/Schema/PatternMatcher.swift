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
    private var visits = 0

    /// Where a thread stands: between two code points, or none.
    private struct Place {
        var before: UInt32?
        var after: UInt32?

        var isWordEdge: Bool {
            before.map(ScalarSet.isWordCharacter) ?? false != after.map(ScalarSet.isWordCharacter) ?? false
        }
    }

    init(_ pattern: Pattern) {
        self.pattern = pattern
        reached = [Int](repeating: -1, count: pattern.program.count)
    }

    mutating func run(_ text: UnsafeRawBufferPointer, _ budget: inout Int) -> Bool? {
        var position = 0
        var place = Place(before: nil, after: Self.scalar(text, &position))
        while true {
            // A match may begin at every place: a new thread each step.
            if follow(0, place) { return true }
            guard let value = place.after else { return false }
            place = Place(before: value, after: Self.scalar(text, &position))
            step += 1
            swap(&waiting, &next)
            waiting.removeAll(keepingCapacity: true)
            for index in next {
                guard case .take(let set) = pattern.program[index], pattern.sets[set].contains(value) else { continue }
                if follow(index + 1, place) { return true }
            }
            if visits >= 1024 {
                budget -= visits / 16
                visits = 0
                guard budget >= 0 else { return nil }
            }
        }
    }

    /// The code point at `position` of valid UTF-8; nil at the end.
    private static func scalar(_ text: UnsafeRawBufferPointer, _ position: inout Int) -> UInt32? {
        guard position < text.count else { return nil }
        let first = UInt32(text[position])
        position += 1
        guard first >= 0xc0 else { return first }
        let more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1
        var value = first & (0x3f >> UInt32(more))
        for _ in 0..<more where position < text.count {
            value = value << 6 | UInt32(text[position] & 0x3f)
            position += 1
        }
        return value
    }

    /// Goes from `start` through everything that takes no code point; true if that reaches the match.
    private mutating func follow(_ start: Int, _ place: Place) -> Bool {
        stack.append(start)
        while let index = stack.popLast() {
            guard reached[index] != step else { continue }
            reached[index] = step
            visits += 1
            switch pattern.program[index] {
            case .take: waiting.append(index)
            case .split(let first, let second):
                stack.append(second)
                stack.append(first)
            case .jump(let target): stack.append(target)
            case .assertStart: if place.before == nil { stack.append(index + 1) }
            case .assertEnd: if place.after == nil { stack.append(index + 1) }
            case .assertWordEdge(let isEdge): if place.isWordEdge == isEdge { stack.append(index + 1) }
            case .match:
                stack.removeAll(keepingCapacity: true)
                return true
            }
        }
        return false
    }
}
