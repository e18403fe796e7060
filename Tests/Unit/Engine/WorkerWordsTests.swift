import Testing

@testable import DomeEngine

@Suite struct `Workers' words` {
    /// What becomes of text that arrives in these pieces, for each of them.
    private func lines(of pieces: [String]) -> [[String]] {
        var lines = WordLines()
        var found: [[String]] = []
        for (index, piece) in pieces.enumerated() {
            let whole = lines.take(Array(piece.utf8)[...], isEnd: index == pieces.count - 1)
            found.append(whole.map { String(decoding: $0, as: UTF8.self) })
        }
        return found
    }

    @Test func `lines are put together from pieces`() {
        #expect(lines(of: ["one\ntw", "o\n\nthr", "", "ee"]) == [["one"], ["two", ""], [], ["three"]])
        #expect(lines(of: ["whole\n", ""]) == [["whole"], []])
    }

    @Test func `a line has an end, and the next one is whole`() {
        let long = String(repeating: "x", count: 100_000)
        let cut = String(repeating: "x", count: WordLines.limitBytes)
        #expect(lines(of: [long, long + "\nnext\n"]) == [[], [cut, "next"]])
    }

    @Test func `a good deal at once, then little by little, and what is left out is counted`() {
        var allowance = WordAllowance(nowNanoseconds: 0)
        /// How many lines of 1,000 bytes may be said at a moment.
        func said(_ now: Int64) -> Int {
            var count = 0
            while allowance.take(1_000, nowNanoseconds: now) != .refused { count += 1 }
            return count
        }
        let burst = WordAllowance.burstBytes / (1_000 + WordAllowance.lineBytes)
        let (atOnce, then) = (said(1), said(2))
        #expect(atOnce == burst && then == 0)
        let second: Int64 = 1_000_000_000
        let later = allowance.take(900, nowNanoseconds: second)
        #expect(later == .granted(dropped: 2_000))
        let rest = said(second)
        #expect(rest == 0)
        // No more than at the beginning, however long nothing was said.
        let (first, afterAges) = (allowance.take(10, nowNanoseconds: .max), said(.max))
        #expect(first == .granted(dropped: 1_000))
        #expect((burst - 1...burst).contains(afterAges))
    }
}
