/// Where a job belongs in its caller's trace: W3C Trace Context's `traceparent` (https://www.w3.org/TR/trace-context/),
/// kept as it came and given on, never made up.
package struct TraceContext: Sendable, Equatable {
    /// E.g. `00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01`.
    package let text: String

    /// Nil for what is none: as the specification says, it is then as if nothing had come.
    package init?(_ text: String) {
        let bytes = Array(text.utf8)
        let isHex = { (range: Range<Int>) in
            bytes[range].allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
        }
        let isZero = { (range: Range<Int>) in bytes[range].allSatisfy { $0 == 0x30 } }
        guard bytes.count >= 55, bytes.count <= 256, [2, 35, 52].allSatisfy({ bytes[$0] == UInt8(ascii: "-") }),
            isHex(0..<2), isHex(3..<35), isHex(36..<52), isHex(53..<55), !isZero(3..<35), !isZero(36..<52)
        else { return nil }
        // Version ff is none; version 00 ends here; a later one may go on after a dash.
        let version = text.prefix(2)
        guard version != "ff", bytes.count == 55 || version != "00" && bytes[55] == UInt8(ascii: "-"),
            bytes.allSatisfy({ (0x21...0x7e).contains($0) })
        else { return nil }
        self.text = text
    }
}
