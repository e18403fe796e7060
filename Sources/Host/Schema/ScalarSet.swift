/// A set of code points: ranges and Unicode properties together, or everything but them.
struct ScalarSet: Sendable, Hashable {
    var ranges: [ClosedRange<UInt32>] = []
    var properties: [UnicodeProperty] = []
    var isNegated = false

    func contains(_ scalar: UInt32) -> Bool {
        for range in ranges where range.contains(scalar) { return !isNegated }
        if !properties.isEmpty, let scalar = Unicode.Scalar(scalar) {
            for property in properties where property.holds(scalar) { return !isNegated }
        }
        return isNegated
    }

    /// Adds a part of a class in brackets.
    mutating func formUnion(_ other: ScalarSet) {
        guard other.isNegated else {
            ranges += other.ranges
            properties += other.properties
            return
        }
        // A negated part has ranges (\W) or one property (\P{…}), never both.
        if other.properties.isEmpty {
            ranges += other.complement
        } else {
            properties += other.properties.map(\.opposite)
        }
    }

    /// The ranges outside.
    private var complement: [ClosedRange<UInt32>] {
        var result: [ClosedRange<UInt32>] = []
        var next: UInt32 = 0
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if range.lowerBound > next { result.append(next...(range.lowerBound - 1)) }
            next = max(next, range.upperBound + 1)
        }
        if next <= 0x10ffff { result.append(next...0x10ffff) }
        return result
    }

    /// The one code point in it, if there is just one.
    var single: UInt32? {
        guard !isNegated, properties.isEmpty, ranges.count == 1, let range = ranges.first, range.count == 1 else {
            return nil
        }
        return range.lowerBound
    }

    static let digits = ScalarSet(ranges: [0x30...0x39])
    static let wordCharacters = ScalarSet(ranges: [0x30...0x39, 0x41...0x5a, 0x5f...0x5f, 0x61...0x7a])
    /// ECMA-262: WhiteSpace and LineTerminator.
    static let spaces = ScalarSet(ranges: [
        0x09...0x0d, 0x20...0x20, 0xa0...0xa0, 0x1680...0x1680, 0x2000...0x200a, 0x2028...0x2029, 0x202f...0x202f,
        0x205f...0x205f, 0x3000...0x3000, 0xfeff...0xfeff,
    ])
    static let lineTerminators = ScalarSet(ranges: [0x0a...0x0a, 0x0d...0x0d, 0x2028...0x2029])

    static func isWordCharacter(_ scalar: UInt32) -> Bool { scalar < 0x80 && wordCharacters.contains(scalar) }
}
