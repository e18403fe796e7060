import Testing

@testable import DomeEngine

@Suite struct `Workers' words` {
    private func take(_ lines: inout WordLines, _ text: String, isEnd: Bool = false) -> [String] {
        lines.take(Array(text.utf8)[...], isEnd: isEnd).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test func `lines are put together from pieces`() {
        var lines = WordLines()
        #expect(take(&lines, "one\ntw") == ["one"])
        #expect(take(&lines, "o\n\nthr") == ["two", ""])
        #expect(take(&lines, "", isEnd: true) == ["thr"])
        #expect(take(&lines, "", isEnd: true) == [])
    }

    @Test func `a line has an end, and the next one is whole`() {
        var lines = WordLines()
        let long = String(repeating: "x", count: 100_000)
        #expect(take(&lines, long) == [])
        #expect(take(&lines, long + "\nnext\n") == [String(repeating: "x", count: WordLines.limitBytes), "next"])
    }

    @Test func `a good deal at once, then little by little, and what is left out is counted`() {
        var allowance = WordAllowance(nowNanoseconds: 0)
        var granted = 0
        while allowance.take(1_000, nowNanoseconds: 1) == .granted(dropped: 0) { granted += 1 }
        #expect(granted == WordAllowance.burstBytes / (1_000 + WordAllowance.lineBytes))
        #expect(allowance.take(1_000, nowNanoseconds: 2) == .refused)
        let second: Int64 = 1_000_000_000
        #expect(allowance.take(900, nowNanoseconds: second) == .granted(dropped: 2_000))
        #expect(allowance.take(1_000, nowNanoseconds: second) == .refused)
        // No more than at the beginning, however long nothing was said.
        granted = 0
        while allowance.take(1_000, nowNanoseconds: .max) != .refused { granted += 1 }
        #expect(granted == WordAllowance.burstBytes / (1_000 + WordAllowance.lineBytes))
    }
}
