/// Durations and sizes as people write them.
enum Quantity {
    private static let milliseconds: [(suffix: String, factor: UInt64)] = [
        ("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000), ("w", 7 * 86_400_000), ("", 1_000),
    ]
    private static let bytes: [(suffix: String, factor: UInt64)] = [
        ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("K", 1 << 10), ("M", 1 << 20),
        ("G", 1 << 30), ("T", 1 << 40), ("B", 1), ("", 1),
    ]

    /// `90`, `90s`, `1.5h`, `2d`; a bare number is seconds. Nil for anything else.
    static func milliseconds(_ text: String) -> UInt64? { parse(text, milliseconds) }

    /// `4096`, `64K`, `10GiB`; powers of 1024. Nil for anything else.
    static func bytes(_ text: String) -> UInt64? { parse(text, bytes) }

    private static func parse(_ text: String, _ units: [(suffix: String, factor: UInt64)]) -> UInt64? {
        guard let unit = units.first(where: { text.hasSuffix($0.suffix) }) else { return nil }
        let digits = text.dropLast(unit.suffix.count)
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) || $0 == 0x2e }) else { return nil }
        if let whole = UInt64(digits) {
            let (product, overflow) = whole.multipliedReportingOverflow(by: unit.factor)
            return overflow ? nil : product
        }
        guard let number = Double(digits), number.isFinite else { return nil }
        let product = (number * Double(unit.factor)).rounded()
        return product < 0x1p63 ? UInt64(product) : nil
    }

    /// E.g. "1.5 GiB".
    static func text(bytes count: UInt64) -> String {
        let names = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"]
        var value = Double(count)
        var index = 0
        while value >= 1024, index < names.count - 1 {
            value /= 1024
            index += 1
        }
        return index == 0 ? "\(count) B" : tenths(value) + " " + names[index]
    }

    /// E.g. "350 ms", "4.2 s", "3 m 20 s", "2 h 5 m", "3 d 4 h".
    static func text(milliseconds: UInt64) -> String {
        let seconds = milliseconds / 1000
        if milliseconds < 1000 { return "\(milliseconds) ms" }
        if seconds < 60 { return tenths(Double(milliseconds) / 1000) + " s" }
        if seconds < 3600 { return "\(seconds / 60) m \(seconds % 60) s" }
        if seconds < 86_400 { return "\(seconds / 3600) h \(seconds / 60 % 60) m" }
        return "\(seconds / 86_400) d \(seconds / 3600 % 24) h"
    }

    private static func tenths(_ value: Double) -> String {
        let scaled = Int64((value * 10).rounded())
        return scaled % 10 == 0 ? "\(scaled / 10)" : "\(scaled / 10).\(scaled % 10)"
    }
}
