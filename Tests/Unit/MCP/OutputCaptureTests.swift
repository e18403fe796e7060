import DomeModel
import Testing

@testable import DomeMCP

@Suite struct HeadTailTests {
    @Test func whatFitsIsWhole() {
        var stream = HeadTail(limit: 100)
        stream.append(Array("one\ntwo\n".utf8))
        #expect(stream.text(limit: 100) == ("one\ntwo\n", false))
    }

    @Test(arguments: [40, 64, 100, 1_000, 5_000])
    func whatDoesNotFitKeepsBeginningAndEndAndSaysHowMuchIsMissing(limit: Int) throws {
        var stream = HeadTail(limit: limit)
        let whole = (1...5_000).map { "line \($0)\n" }.joined()
        for piece in Array(whole.utf8).chunks(of: 77) { stream.append(Array(piece)) }
        let (text, isCut) = stream.text(limit: limit)
        #expect(isCut)
        let parts = text.split(separator: "[…")
        let omitted = try #require(text.firstMatch(of: /\[… (\d+) bytes are left out …\]/).flatMap { Int($0.1) })
        let shown = try #require(parts.first).dropLast().utf8.count + (text.utf8.count - text.utf8Offset(after: "…]\n"))
        #expect(shown + omitted == whole.utf8.count)
        #expect(JSONSize.of(text) <= limit + 60)
        #expect(whole.hasPrefix(String(try #require(parts.first).dropLast())))
        #expect(text.hasSuffix("5000\n") || limit < 64)
    }

    @Test func bytesThatAreNoTextAndControlsStayWithinTheLimit() {
        for byte in [UInt8(0), 0xff, 0x1b, 0xc3] {
            var stream = HeadTail(limit: 500)
            stream.append([UInt8](repeating: byte, count: 10_000))
            #expect(JSONSize.of(stream.text(limit: 500).0) <= 560)
        }
    }

    @Test func sizesAreThoseOfJSON() {
        for text in ["", "plain", "a\nb\t\"q\"\\", "\u{1}\u{1f}", "äöü€😀"] {
            #expect(JSONSize.of(text) == JSONValue.string(text).compact.utf8.count - 2)
            #expect(JSONSize.ofBytes(Array(text.utf8)) >= JSONSize.of(text))
        }
    }
}

extension Array {
    fileprivate func chunks(of size: Int) -> [ArraySlice<Element>] {
        stride(from: 0, to: count, by: size).map { self[$0..<Swift.min($0 + size, count)] }
    }
}

extension String {
    fileprivate func utf8Offset(after mark: String) -> Int {
        guard let range = firstRange(of: mark) else { return 0 }
        return utf8.distance(from: startIndex, to: range.upperBound)
    }
}
