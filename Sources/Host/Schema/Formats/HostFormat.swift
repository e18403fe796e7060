/// Host names: RFC 1123, and IDNA 2008 (RFC 5890 to 5892) for labels beyond ASCII, however they are written. Not
/// looked at: the rule for labels in two directions (RFC 5893), and whether a label is in normal form C.
enum HostFormat {
    static func isHostname(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count <= 253 else { return false }
        return text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy(isASCIILabel)
    }

    static func isInternationalHostname(_ text: ArraySlice<UInt8>) -> Bool {
        // Four bytes for each of 253 characters.
        guard text.count <= 1012 else { return false }
        let scalars = Array(String(decoding: text, as: UTF8.self).unicodeScalars)
        let dots: [Unicode.Scalar] = [".", "\u{3002}", "\u{ff0e}", "\u{ff61}"]
        let labels = scalars.split(omittingEmptySubsequences: false) { dots.contains($0) }
        var length = labels.count - 1
        for label in labels {
            if label.allSatisfy(\.isASCII) {
                guard isASCIILabel(label.map { UInt8(truncatingIfNeeded: $0.value) }[...]) else { return false }
                length += label.count
            } else {
                guard InternationalLabel.isValid(Array(label)), let encoded = Punycode.encodedCount(Array(label)),
                    encoded + 4 <= 63
                else { return false }
                length += encoded + 4
            }
        }
        return length <= 253
    }

    private static func isASCIILabel(_ label: ArraySlice<UInt8>) -> Bool {
        guard (1...63).contains(label.count), label.first != UInt8(ascii: "-"), label.last != UInt8(ascii: "-"),
            label.allSatisfy({ $0.isLetter || $0.isDigit || $0 == UInt8(ascii: "-") })
        else { return false }
        let bytes = Array(label)
        guard bytes.count >= 4, bytes[2] == UInt8(ascii: "-"), bytes[3] == UInt8(ascii: "-") else { return true }
        // The two hyphens are reserved: for Punycode, which must then mean a label beyond ASCII.
        guard bytes[0] | 0x20 == UInt8(ascii: "x"), bytes[1] | 0x20 == UInt8(ascii: "n"),
            let scalars = Punycode.decode(bytes[4...])
        else { return false }
        return !scalars.allSatisfy(\.isASCII) && InternationalLabel.isValid(scalars)
    }
}

/// RFC 3492.
enum Punycode {
    private static let base = 36

    private static func adapted(_ delta: Int, _ count: Int, isFirst: Bool) -> Int {
        var delta = isFirst ? delta / 700 : delta / 2
        delta += delta / count
        var bias = 0
        while delta > 455 {
            delta /= 35
            bias += base
        }
        return bias + 36 * delta / (delta + 38)
    }

    private static func threshold(_ position: Int, _ bias: Int) -> Int { min(max(position - bias, 1), 26) }

    static func decode(_ text: ArraySlice<UInt8>) -> [Unicode.Scalar]? {
        var output: [UInt32] = []
        var rest = text
        if let mark = text.lastIndex(of: UInt8(ascii: "-")) {
            output = text[..<mark].map { UInt32($0.isLetter ? $0 | 0x20 : $0) }
            rest = text[(mark + 1)...]
        }
        var (scalar, index, bias) = (128, 0, 72)
        while !rest.isEmpty {
            let before = index
            var (weight, position) = (1, base)
            while true {
                guard let byte = rest.popFirst() else { return nil }
                let digit = byte.isDigit ? Int(byte - 0x30) + 26 : byte.isLetter ? Int((byte | 0x20) - 0x61) : base
                guard digit < base, weight < 1 << 32 else { return nil }
                index += digit * weight
                let limit = threshold(position, bias)
                if digit < limit { break }
                weight *= base - limit
                position += base
            }
            bias = adapted(index - before, output.count + 1, isFirst: before == 0)
            scalar += index / (output.count + 1)
            index %= output.count + 1
            guard scalar <= 0x10ffff else { return nil }
            output.insert(UInt32(scalar), at: index)
            index += 1
        }
        var scalars: [Unicode.Scalar] = []
        for value in output {
            guard let scalar = Unicode.Scalar(value) else { return nil }
            scalars.append(scalar)
        }
        return scalars
    }

    /// How long a label is once it is encoded, without `xn--`.
    static func encodedCount(_ label: [Unicode.Scalar]) -> Int? {
        guard label.count <= 63 else { return nil }
        let basic = label.count(where: \.isASCII)
        var (count, handled) = (basic > 0 ? basic + 1 : 0, basic)
        var (scalar, delta, bias) = (128, 0, 72)
        while handled < label.count {
            guard let next = label.map({ Int($0.value) }).filter({ $0 >= scalar }).min() else { return nil }
            delta += (next - scalar) * (handled + 1)
            scalar = next
            for value in label.map({ Int($0.value) }) {
                if value < scalar { delta += 1 }
                guard value == scalar else { continue }
                var (rest, position) = (delta, base)
                while rest >= threshold(position, bias) {
                    let limit = threshold(position, bias)
                    count += 1
                    rest = (rest - limit) / (base - limit)
                    position += base
                }
                count += 1
                bias = adapted(delta, handled + 1, isFirst: handled == basic)
                delta = 0
                handled += 1
            }
            delta += 1
            scalar += 1
        }
        return count
    }
}
