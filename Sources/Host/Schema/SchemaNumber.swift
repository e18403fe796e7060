internal import DomeModel

/// A number as JSON Schema compares them: by mathematical value, exactly, however many digits it has.
enum SchemaNumber: Sendable {
    case integer(Int64)
    /// digits × 10^-places, places 0…18: most numbers with a point.
    case short(digits: Int64, places: Int)
    case decimal(SchemaDecimal)

    /// The number at `node`; nil if something else is there.
    init?(_ tree: JSONTree, _ node: Int) {
        let value = tree.nodes[node]
        switch value.kind {
        case .integer: self = .integer(value.integer)
        case .decimal:
            let (start, count) = (Int(value.start), Int(value.count))
            if let short = Self.short(tree.text, start, count) {
                self = short
            } else {
                self = .decimal(SchemaDecimal(literal: tree.bytes(of: node)))
            }
        default: return nil
        }
    }

    private static func short(_ text: [UInt8], _ start: Int, _ count: Int) -> SchemaNumber? {
        // Sign, point and a leading zero are no digits; 18 of these fit.
        guard count <= 20 else { return nil }
        var (digits, places, seen, isNegative): (Int64, Int, Int, Bool) = (0, -1, 0, false)
        for byte in text[start..<start + count] {
            switch byte {
            case 0x30...0x39:
                digits = digits &* 10 &+ Int64(byte - 0x30)
                seen += 1
                if places >= 0 { places += 1 }
            case UInt8(ascii: "."): places = 0
            case UInt8(ascii: "-"): isNegative = true
            default: return nil
            }
        }
        guard seen <= 18 else { return nil }
        return .short(digits: isNegative ? -digits : digits, places: max(places, 0))
    }

    /// Whether it has no fraction: 1.0 and 1e3 have none.
    var isWhole: Bool {
        switch self {
        case .integer: true
        case .short(let digits, let places): digits % Self.powers[places] == 0
        case .decimal(let number): number.isWhole
        }
    }

    var isPositive: Bool { compared(to: .integer(0)) > 0 }

    /// The same number, as an integer if it is one that fits: for what is compared often.
    var reduced: SchemaNumber {
        switch self {
        case .integer: return self
        case .short(let digits, let places): return isWhole ? .integer(digits / Self.powers[places]) : self
        case .decimal(let number):
            guard number.isWhole, number.point <= 18 else { return self }
            var value = number.digits.reduce(Int64(0)) { $0 * 10 + Int64($1) }
            value *= Self.powers[number.point - number.digits.count]
            return .integer(number.isNegative ? -value : value)
        }
    }

    private static let powers: [Int64] = (0...18).map { power in (0..<power).reduce(1) { value, _ in value * 10 } }

    /// Negative, zero or positive as `self` is less than, equal to or greater than `other`.
    func compared(to other: SchemaNumber) -> Int {
        if let left = asShort, let right = other.asShort {
            let places = max(left.places, right.places)
            let (one, isLarge) = left.digits.multipliedReportingOverflow(by: Self.powers[places - left.places])
            let (two, isLargeToo) = right.digits.multipliedReportingOverflow(by: Self.powers[places - right.places])
            if !isLarge, !isLargeToo { return one < two ? -1 : one > two ? 1 : 0 }
        }
        return asDecimal.compared(to: other.asDecimal)
    }

    private var asShort: (digits: Int64, places: Int)? {
        switch self {
        case .integer(let number): (number, 0)
        case .short(let digits, let places): (digits, places)
        case .decimal: nil
        }
    }

    /// Whether this is a whole multiple of `divisor`, which is not 0. Nil: both have more digits than are reckoned
    /// with.
    func isMultiple(of divisor: SchemaNumber) -> Bool? {
        if case .integer(let left) = self, case .integer(let right) = divisor {
            return right == -1 || right != 0 && left % right == 0
        }
        return asDecimal.isMultiple(of: divisor.asDecimal)
    }

    var asDecimal: SchemaDecimal {
        switch self {
        case .integer(let number): return SchemaDecimal(number)
        case .short(let digits, let places):
            var number = SchemaDecimal(digits)
            if digits != 0 { number.point -= places }
            return number
        case .decimal(let number): return number
        }
    }
}

/// ±0.DIGITS × 10^point: digits without zeros at either end, none at all for 0. Takes as much memory as the literal,
/// whatever the exponent says.
struct SchemaDecimal: Sendable, Equatable {
    var isNegative: Bool
    /// Each 0…9.
    var digits: [UInt8]
    var point: Int

    /// Beyond these, reckoning with two long numbers would take its time squared.
    private static let divisorDigitLimit = 1_000
    private static let digitLimit = 20_000

    init(_ number: Int64) {
        self.init(literal: Array(String(number).utf8)[...])
    }

    /// A literal as RFC 8259 has it, its exponent of at most 15 digits.
    init(literal: ArraySlice<UInt8>) {
        isNegative = literal.first == UInt8(ascii: "-")
        digits = []
        point = 0
        var exponent = 0
        var isExponentNegative = false
        var part = 0
        for byte in literal {
            switch byte {
            case 0x30...0x39 where part == 2: exponent = exponent &* 10 &+ Int(byte - 0x30)
            case 0x30...0x39:
                if part == 0 { point += 1 }
                if digits.isEmpty, byte == 0x30 { point -= 1 } else { digits.append(byte - 0x30) }
            case UInt8(ascii: "."): part = 1
            case UInt8(ascii: "e"), UInt8(ascii: "E"): part = 2
            case UInt8(ascii: "-"): isExponentNegative = part == 2
            default: break
            }
        }
        while digits.last == 0 { digits.removeLast() }
        point += isExponentNegative ? -exponent : exponent
        if digits.isEmpty { (isNegative, point) = (false, 0) }
    }

    var isWhole: Bool { point >= digits.count }

    func compared(to other: SchemaDecimal) -> Int {
        let (sign, otherSign) = (self.sign, other.sign)
        guard sign == otherSign else { return sign < otherSign ? -1 : 1 }
        guard sign != 0 else { return 0 }
        if point != other.point { return point < other.point ? -sign : sign }
        for (left, right) in zip(digits, other.digits) where left != right { return left < right ? -sign : sign }
        // The one with more digits is further from zero.
        return digits.count == other.digits.count ? 0 : digits.count < other.digits.count ? -sign : sign
    }

    private var sign: Int { digits.isEmpty ? 0 : isNegative ? -1 : 1 }

    func isMultiple(of divisor: SchemaDecimal) -> Bool? {
        guard !digits.isEmpty else { return true }
        guard !divisor.digits.isEmpty else { return false }
        // Both as whole numbers times a power of ten; neither ends in 0.
        let power = (point - digits.count) - (divisor.point - divisor.digits.count)
        guard power >= 0 else { return false }
        guard divisor.digits.count <= Self.divisorDigitLimit else { return nil }
        if divisor.digits.count > 18 {
            guard digits.count <= Self.digitLimit else { return nil }
            return LongRemainder.isZero(digits, tens: power, divisor: divisor.digits)
        }
        let right = divisor.digits.reduce(UInt64(0)) { $0 * 10 + UInt64($1) }
        var rest: UInt64 = 0
        for digit in digits { rest = Self.appended(digit, to: rest, modulo: right) }
        // A power of ten brings the factors 2 and 5; the divisor has fewer than 64 of them.
        for _ in 0..<min(power, 64) where rest != 0 { rest = Self.appended(0, to: rest, modulo: right) }
        return rest == 0
    }

    private static func appended(_ digit: UInt8, to rest: UInt64, modulo: UInt64) -> UInt64 {
        let product = rest.multipliedFullWidth(by: 10)
        let (low, overflow) = product.low.addingReportingOverflow(UInt64(digit))
        return modulo.dividingFullWidth((product.high + (overflow ? 1 : 0), low)).remainder
    }
}

/// Long division by hand, for divisors that no register holds.
private enum LongRemainder {
    static func isZero(_ digits: [UInt8], tens: Int, divisor: [UInt8]) -> Bool {
        var rest: [UInt8] = []
        for digit in digits { append(digit, to: &rest, divisor) }
        for _ in 0..<min(tens, 4 * divisor.count) where !rest.isEmpty { append(0, to: &rest, divisor) }
        return rest.isEmpty
    }

    private static func append(_ digit: UInt8, to rest: inout [UInt8], _ divisor: [UInt8]) {
        if !rest.isEmpty || digit != 0 { rest.append(digit) }
        while !isLess(rest, divisor) { subtract(divisor, from: &rest) }
    }

    private static func isLess(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        left.count == right.count ? left.lexicographicallyPrecedes(right) : left.count < right.count
    }

    private static func subtract(_ right: [UInt8], from left: inout [UInt8]) {
        var borrow = 0
        for offset in 1...left.count {
            let position = left.count - offset
            let other = offset <= right.count ? Int(right[right.count - offset]) : 0
            let difference = Int(left[position]) - other - borrow
            borrow = difference < 0 ? 1 : 0
            left[position] = UInt8(difference + 10 * borrow)
        }
        left = Array(left.drop { $0 == 0 })
    }
}

extension SchemaNumber: CustomStringConvertible {
    /// For messages: short, whatever it stands for.
    var description: String {
        switch self {
        case .integer(let number): String(number)
        case .short, .decimal: asDecimal.description
        }
    }
}

extension SchemaDecimal: CustomStringConvertible {
    var description: String {
        let count = digits.count
        guard count > 0 else { return "0" }
        guard count <= 40 else { return "a number of \(count) digits" }
        let sign = isNegative ? "-" : ""
        var text = digits.map { String($0) }.joined()
        if point >= count, point <= 21 { return sign + text + String(repeating: "0", count: point - count) }
        if point > 0, point < count {
            text.insert(".", at: text.index(text.startIndex, offsetBy: point))
            return sign + text
        }
        if point > -6, point <= 0 { return sign + "0." + String(repeating: "0", count: -point) + text }
        let rest = text.dropFirst()
        return sign + text.prefix(1) + (rest.isEmpty ? "" : "." + rest) + "e\(point - 1)"
    }
}
