internal import DomeModel

/// Payloads that nobody would write, from a seed: the same seed gives the same ones on every machine.
struct Fuzzer {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    /// SplitMix64 (Steele, Lea, Flood 2014).
    private mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }

    private mutating func below(_ limit: Int) -> Int { limit <= 1 ? 0 : Int(next() % UInt64(limit)) }

    private mutating func pick<Element>(_ elements: [Element]) -> Element? {
        elements.isEmpty ? nil : elements[below(elements.count)]
    }

    /// One payload: a good one spoiled as a document or as bytes, a document out of nothing, or plain noise.
    mutating func payload(like good: JSONValue) -> [UInt8] {
        switch below(8) {
        case 0: return (0..<below(200)).map { _ in UInt8(truncatingIfNeeded: next()) }
        case 1: return Array(value(depth: 0).compact.utf8)
        case 2, 3: return spoil(Array(good.compact.utf8))
        default: return Array(change(good).compact.utf8)
        }
    }

    /// Cuts, doubles, flips and inserts bytes.
    private mutating func spoil(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...below(4) {
            let at = below(bytes.count + 1)
            switch below(4) {
            case 0: bytes = Array(bytes.prefix(at))
            case 1: bytes.insert(pick(Self.pieces).map { UInt8(ascii: $0) } ?? 0, at: at)
            case 2: if at < bytes.count { bytes[at] ^= UInt8(1 << below(8)) }
            default: bytes.insert(contentsOf: bytes.suffix(below(20)), at: at)
            }
        }
        return bytes
    }

    private static let pieces: [Unicode.Scalar] = [
        "{", "}", "[", "]", "\"", "\\", ",", ":", "0", "-", "e", "\0", "\u{7f}",
    ]

    /// A document with one or more of its members replaced, dropped or added.
    private mutating func change(_ value: JSONValue) -> JSONValue {
        switch value {
        case .object(let object):
            var changed = object
            for (name, member) in object.members where below(2) == 0 {
                changed[name] = below(8) == 0 ? nil : change(member)
            }
            if below(4) == 0 { changed[text()] = self.value(depth: 2) }
            return below(20) == 0 ? self.value(depth: 0) : .object(changed)
        case .array(let array):
            var changed = array.map { below(2) == 0 ? change($0) : $0 }
            if below(3) == 0 { changed.append(self.value(depth: 2)) }
            if below(6) == 0 { changed = [] }
            return .array(changed)
        default: return self.value(depth: 1)
        }
    }

    private mutating func value(depth: Int) -> JSONValue {
        switch below(depth > 4 ? 6 : 8) {
        case 0: return .null
        case 1: return .bool(below(2) == 0)
        case 2: return .integer(pick(Self.integers) ?? 0)
        case 3: return .double(pick(Self.doubles) ?? 0)
        case 4, 5: return .string(text())
        case 6: return .array((0..<below(6)).map { _ in value(depth: depth + 1) })
        default:
            var object = JSONObject()
            for _ in 0..<below(6) { object[text()] = value(depth: depth + 1) }
            return .object(object)
        }
    }

    private static let integers: [Int64] = [0, 1, -1, 255, 256, 65_536, 1 << 31, -1 << 31, 1 << 32, .max, .min]
    private static let doubles: [Double] = [0.5, -0.0, 1e-300, 1e300, 0.1, 9_007_199_254_740_992, -1.5]
    private static let texts = [
        "", "a", "name", "argv", "text", "\u{0}", "\u{1}", "\n\r\t", "\"", "\\", "%s%n%x", "../../etc/passwd", "/",
        "\u{feff}", "\u{202e}", "é", "e\u{301}", "\u{1f600}", "\u{10ffff}", "null", "-1", "1e999", "${HOME}", "';--",
    ]

    private mutating func text() -> String {
        switch below(12) {
        case 0: String(repeating: pick(Self.texts) ?? "", count: below(2000))
        case 1: (pick(Self.texts) ?? "") + (pick(Self.texts) ?? "")
        default: pick(Self.texts) ?? ""
        }
    }
}
