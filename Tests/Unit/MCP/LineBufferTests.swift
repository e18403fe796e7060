import Testing

@testable import DomeMCP

@Suite struct LineBufferTests {
    private func lines(_ pieces: [String], limit: Int = 10) -> [LineBuffer.Line] {
        var buffer = LineBuffer(limitBytes: limit)
        var lines: [LineBuffer.Line] = []
        for piece in pieces {
            buffer.append(Array(piece.utf8)[...])
            while let line = buffer.next() { lines.append(line) }
        }
        if let last = buffer.last() { lines.append(last) }
        return lines
    }

    private func whole(_ text: String) -> LineBuffer.Line { .whole(Array(text.utf8)) }

    @Test func linesComeTogetherHoweverTheyWereCut() {
        let expected = [whole("one"), whole(""), whole("two"), whole("rest")]
        #expect(lines(["one\n\ntwo\nrest"]) == expected)
        #expect(lines("one\n\ntwo\nrest".map(String.init)) == expected)
    }

    @Test func aLineThatIsTooLongIsOneErrorAndTheNextIsReadAgain() {
        #expect(lines(["0123456789", "01", "\nnext\n"]) == [.tooLong, whole("next")])
        #expect(lines(["01234567890\nnext\n"]) == [.tooLong, whole("next")])
        #expect(lines(["0123456789\n"]) == [whole("0123456789")])
        #expect(lines(["01234567890123", "4567"]) == [.tooLong])
    }
}
