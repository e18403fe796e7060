import DomeModel

/// A number as JSON Schema compares them: by mathematical value, so 1 and 1.0 are equal and no integer is
/// rounded on the way.
enum SchemaNumber: Sendable {
    case integer(Int64)
    case double(Double)

    init?(_ value: JSONValue) {
        switch value {
        case .integer(let number): self = .integer(number)
        case .double(let number): self = .double(number)
        default: return nil
        }
    }

    /// Negative, zero or positive as `self` is less than, equal to or greater than `other`.
    func compared(to other: SchemaNumber) -> Int {
        switch (self, other) {
        case (.integer(let left), .integer(let right)): left < right ? -1 : left > right ? 1 : 0
        case (.double(let left), .double(let right)): left < right ? -1 : left > right ? 1 : 0
        case (.integer(let left), .double(let right)): Self.compare(left, right)
        case (.double(let left), .integer(let right)): -Self.compare(right, left)
        }
    }

    private static func compare(_ integer: Int64, _ double: Double) -> Int {
        guard double < 0x1p63 else { return -1 }
        guard double >= -0x1p63 else { return 1 }
        let whole = double.rounded(.towardZero)
        let truncated = Int64(whole)
        if integer != truncated { return integer < truncated ? -1 : 1 }
        return whole < double ? -1 : whole > double ? 1 : 0
    }

    var isPositive: Bool { compared(to: .integer(0)) > 0 }

    /// Whether this is a whole multiple of `divisor`, reckoned in decimal: 0.3 is a multiple of 0.1.
    func isMultiple(of divisor: SchemaNumber) -> Bool {
        if case .integer(let left) = self, case .integer(let right) = divisor {
            return right == -1 || right != 0 && left % right == 0
        }
        if let left = decimal, let right = divisor.decimal, let aligned = Self.align(left, right), aligned.right != 0 {
            return aligned.left.magnitude % aligned.right.magnitude == 0
        }
        let (left, right) = (asDouble, divisor.asDouble)
        return right != 0 && left.remainder(dividingBy: right) == 0
    }

    private var asDouble: Double {
        switch self {
        case .integer(let number): Double(number)
        case .double(let number): number
        }
    }

    /// The shortest decimal that reads back as this number: digits × 10^exponent. Nil when it does not fit.
    private var decimal: (digits: Int64, exponent: Int)? {
        switch self {
        case .integer(let number): return (number, 0)
        case .double(let number):
            let parts = number.description.split(separator: "e")
            guard let mantissa = parts.first, let exponent = parts.count > 1 ? Int(parts[1]) : 0 else { return nil }
            let halves = mantissa.split(separator: ".")
            guard let whole = halves.first else { return nil }
            let fraction = halves.count > 1 && halves[1] != "0" ? String(halves[1]) : ""
            return Int64(whole + fraction).map { ($0, exponent - fraction.utf8.count) }
        }
    }

    private static func align(
        _ left: (digits: Int64, exponent: Int), _ right: (digits: Int64, exponent: Int)
    ) -> (left: Int64, right: Int64)? {
        let exponent = min(left.exponent, right.exponent)
        guard let scaledLeft = scale(left.digits, left.exponent - exponent),
            let scaledRight = scale(right.digits, right.exponent - exponent)
        else { return nil }
        return (scaledLeft, scaledRight)
    }

    private static func scale(_ digits: Int64, _ power: Int) -> Int64? {
        guard digits != 0 else { return 0 }
        guard power <= 18 else { return nil }
        var result = digits
        for _ in 0..<power {
            let (product, overflow) = result.multipliedReportingOverflow(by: 10)
            guard !overflow else { return nil }
            result = product
        }
        return result
    }
}

extension JSONValue {
    /// Equality as JSON Schema defines it: numbers by value, objects whatever their order.
    func isSchemaEqual(to other: JSONValue) -> Bool {
        switch (self, other) {
        case (.array(let left), .array(let right)):
            return left.count == right.count && zip(left, right).allSatisfy { $0.isSchemaEqual(to: $1) }
        case (.object(let left), .object(let right)):
            return left.count == right.count
                && left.members.allSatisfy { member in right[member.key].map(member.value.isSchemaEqual) ?? false }
        default:
            if let left = SchemaNumber(self), let right = SchemaNumber(other) { return left.compared(to: right) == 0 }
            return self == other
        }
    }
}
