internal import DomeModel

/// Reads the members of a leaf that columns repeat, without building a document: verification does little else. Takes
/// the leaf's bytes as canonical JSON of ours; of what is not, it says so.
struct LeafScanner {
    private let bytes: UnsafeRawBufferPointer
    private var position = 1

    /// Nil unless the leaf is an object.
    init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count >= 2, bytes.first == UInt8(ascii: "{"), bytes.last == UInt8(ascii: "}") else { return nil }
        self.bytes = bytes
    }

    /// The next member, name without quotes and value as it stands; nil at the end, or when this is no JSON of ours.
    mutating func next() -> (name: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)? {
        guard position < bytes.count - 1, bytes[position] == UInt8(ascii: "\"") else { return nil }
        let nameStart = position + 1
        guard skipString(), position < bytes.count, bytes[position] == UInt8(ascii: ":") else { return nil }
        let name = UnsafeRawBufferPointer(rebasing: bytes[nameStart..<(position - 1)])
        position += 1
        let start = position
        guard skipValue() else { return nil }
        let value = UnsafeRawBufferPointer(rebasing: bytes[start..<position])
        position += 1
        return (name, value)
    }

    /// Whether everything was read.
    var isAtEnd: Bool { position == bytes.count }

    /// From a quote to behind the next one that is not escaped.
    private mutating func skipString() -> Bool {
        position += 1
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                position += 1
                return true
            case UInt8(ascii: "\\"): position += 2
            default: position += 1
            }
        }
        return false
    }

    /// Up to the comma or brace that ends the member.
    private mutating func skipValue() -> Bool {
        var depth = 0
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                guard skipString() else { return false }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                if depth == 0 { return position == bytes.count - 1 }
                depth -= 1
            case UInt8(ascii: ","): if depth == 0 { return true }
            default: break
            }
            position += 1
        }
        return false
    }
}

extension UnsafeRawBufferPointer {
    func equals(_ text: StaticString) -> Bool {
        text.utf8CodeUnitCount == count
            && elementsEqual(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
    }

    func equals(_ other: UnsafeRawBufferPointer) -> Bool {
        count == other.count && (count == 0 || memoryEquals(other))
    }

    private func memoryEquals(_ other: UnsafeRawBufferPointer) -> Bool { elementsEqual(other) }

    /// The value as the integer that it is the shortest text of.
    var integer: Int64? {
        guard count > 0, count < 20 else { return nil }
        var value: Int64 = 0
        for (place, byte) in enumerated() {
            guard byte >= 0x30, byte <= 0x39, place > 0 || byte != 0x30 || count == 1 else { return nil }
            let (product, isOver) = value.multipliedReportingOverflow(by: 10)
            let (sum, isOverToo) = product.addingReportingOverflow(Int64(byte - 0x30))
            guard !isOver, !isOverToo else { return nil }
            value = sum
        }
        return value
    }

    /// A string's contents between its quotes; nil for one with escapes, or no string.
    var plainString: UnsafeRawBufferPointer? {
        guard count >= 2, first == UInt8(ascii: "\""), last == UInt8(ascii: "\"") else { return nil }
        let inner = UnsafeRawBufferPointer(rebasing: self[1..<(count - 1)])
        return inner.contains(UInt8(ascii: "\\")) ? nil : inner
    }
}
