import DomeJournal
import DomeModel
import DomePlatform
import Testing

/// From pipe bytes to events.
struct OutputRecorderTests {
    private func recorder(
        _ journal: TemporaryJournal, lineBytes: UInt64 = 64 << 10, outputBytes: UInt64 = 1 << 20
    ) throws -> OutputRecorder {
        var limits = Limits()
        (limits.lineBytes, limits.outputBytes) = (lineBytes, outputBytes)
        return OutputRecorder(writer: try JournalWriter.create(path: journal.path, journal.jobID), limits: limits)
    }

    @Test func `lines come out whole however they are cut by reads`() throws {
        let text = "first\nsecond line\n\nPROGRESS:7\nnul \0 and \u{1b}[31m\nlast"
        for size in 1...text.utf8.count {
            let journal = try TemporaryJournal()
            let recorder = try recorder(journal)
            var rest = Array(text.utf8)[...]
            while !rest.isEmpty {
                try recorder.take(Array(rest.prefix(size)))
                rest = rest.dropFirst(size)
            }
            try recorder.finish()
            let events = try journal.events()
            let expected = ["first", "second line", "", "PROGRESS:7", "7", "nul \0 and \u{1b}[31m", "last"]
            #expect(events.map(\.text) == expected)
            #expect(events.map(\.isPartial) == [false, false, false, false, false, false, true])
            #expect(events.last?.lineID == 7)
        }
    }

    @Test func `bytes that are not UTF-8 are kept as they came`() throws {
        let journal = try TemporaryJournal()
        let recorder = try recorder(journal)
        let line: [UInt8] = [0xff, 0xfe, 0x00, 0x0d, 0xc3]
        try recorder.take(line + [0x0a])
        #expect(try journal.events().map(\.payload) == [line])
    }

    @Test func `a long line is split into pieces that share an id`() throws {
        let journal = try TemporaryJournal()
        let recorder = try recorder(journal, lineBytes: 10)
        try recorder.take("short\n" + String(repeating: "a", count: 25) + "\nexactly 10\nPROGRESS:1\n")
        let events = try journal.events()
        #expect(events.map(\.text) == ["short", "aaaaaaaaaa", "aaaaaaaaaa", "aaaaa", "exactly 10", "PROGRESS:1", "1"])
        #expect(events.map(\.isPartial) == [false, true, true, false, false, false, false])
        #expect(events.map(\.lineID) == [0, 2, 2, 2, 0, 0, 0])
    }

    @Test func `a line of 200 MB passes in bounded memory`() throws {
        let journal = try TemporaryJournal()
        let recorder = try recorder(journal, outputBytes: 300 << 20)
        let chunk = [UInt8](repeating: 0x61, count: 64 << 10)
        for _ in 0..<3200 { try recorder.take(chunk) }
        try recorder.take("end\n")
        let summary = try JournalSummary.scan(path: journal.path, journal.jobID)
        #expect(summary.lastSeq == 3201)
        let tail = try journal.events(after: 3200)
        #expect(tail.map(\.text) == ["end"])
        #expect(tail.map(\.lineID) == [1])
        #expect(tail.map(\.isPartial) == [false])
    }

    @Test func `an idle prompt is flushed and its line goes on`() throws {
        let journal = try TemporaryJournal()
        let recorder = try recorder(journal)
        try recorder.take("Name: ")
        #expect(recorder.hasUnterminatedLine(.stdout))
        try recorder.flushIdle(.stdout)
        #expect(!recorder.hasUnterminatedLine(.stdout))
        try recorder.take("err\n", .stderr)
        try recorder.take("Joe\nPROGRESS:")
        try recorder.flushIdle(.stdout)
        try recorder.take("5\n")
        try recorder.take("whole\n")
        let events = try journal.events()
        #expect(events.map(\.text) == ["Name: ", "err", "Joe", "PROGRESS:", "5", "whole"])
        #expect(events.map(\.isPartial) == [true, false, false, true, false, false])
        #expect(events.map(\.lineID) == [1, 0, 1, 4, 4, 0])
        #expect(events.allSatisfy { $0.kind == .log })
    }

    @Test func `a flood is drained, and one event says what was dropped`() throws {
        let journal = try TemporaryJournal()
        let recorder = try recorder(journal, outputBytes: 1000)
        for number in 0..<100_000 { try recorder.take("line \(number)\n", number % 2 == 0 ? .stdout : .stderr) }
        try recorder.take("unterminated")
        #expect(recorder.isTruncating)
        try recorder.finish()
        let events = try journal.events()
        let kept = events.filter { $0.kind == .log }
        let notice = try JSONParser.parse(try #require(events.last).text, what: "notice")
        #expect(events.last?.kind == .guard)
        #expect(events.filter { $0.kind == .guard }.count == 1)
        let keptBytes = kept.reduce(0) { $0 + $1.payload.count + 1 }
        let allBytes = (0..<100_000).reduce(12) { $0 + "line \($1)\n".utf8.count }
        #expect(keptBytes <= 1000 && keptBytes > 900)
        #expect(notice["dropped_bytes"]?.integerValue == Int64(allBytes - keptBytes))
        #expect(notice["dropped_lines"]?.integerValue == Int64(100_001 - kept.count))
        #expect(notice["after_seq"]?.integerValue == Int64(kept.count))
    }

    @Test func `single-byte writes cannot fill the disk with frame heads`() throws {
        let journal = try TemporaryJournal()
        let recorder = try recorder(journal, outputBytes: 100_000)
        for _ in 0..<50_000 { try recorder.take("\n") }
        try recorder.finish()
        #expect(recorder.writer.byteLength < 2 * 100_000 + 70_000)
        #expect(try journal.events().last?.kind == .guard)
    }
}
