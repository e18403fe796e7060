// Unit tests of the room Journal: real files in a temporary folder.
import DomeJournal
import DomeModel
import DomePlatform
import Glibc
import Testing

struct JournalTests {
    @Test func `every line is an event and numbers have no gap`() throws {
        let journal = try TemporaryJournal()
        let writer = try JournalWriter.create(path: journal.path, journal.jobID)
        try writer.appendEvent(.stateChange, Array(#"{"to":"queued"}"#.utf8))
        try writer.lines("one\ntwo\n\n")
        try writer.lines("err\n", .stderr)
        let events = try journal.events()
        #expect(events.map(\.seq) == [1, 2, 3, 4, 5])
        #expect(events.map(\.text) == [#"{"to":"queued"}"#, "one", "two", "", "err"])
        #expect(events.map(\.stream) == [.none, .stdout, .stdout, .stdout, .stderr])
        #expect(writer.lastSeq == 5)
    }

    @Test func `a progress line is two events, on stdout only`() throws {
        let journal = try TemporaryJournal()
        let writer = try JournalWriter.create(path: journal.path, journal.jobID)
        try writer.lines("a\nPROGRESS: 42%\nPROGRESS:x\nb\nPROGRESS:0.5\n")
        try writer.lines("PROGRESS:1\n", .stderr)
        let events = try journal.events()
        let expected = ["a", "PROGRESS: 42%", "42", "PROGRESS:x", "b", "PROGRESS:0.5", "0.5", "PROGRESS:1"]
        #expect(events.map(\.text) == expected)
        #expect(events.map(\.kind) == [.log, .log, .progress, .log, .log, .log, .progress, .log])
        #expect(events.map(\.seq) == Array(1...8))
    }

    @Test func `resuming yields exactly the rest, from any event and with any budget`() throws {
        let journal = try TemporaryJournal()
        let writer = try JournalWriter.create(path: journal.path, journal.jobID)
        for batch in 0..<20 { try writer.lines("x\(batch)\nPROGRESS:\(batch)\ny\(batch)\n") }
        let all = try journal.events()
        #expect(all.count == 80)
        for start in 0...80 { #expect(try journal.events(after: UInt64(start)) == Array(all[start...])) }
        for budget in [1, 70, 300, 5000] {
            let cursor = try JournalCursor(path: journal.path, journal.jobID)
            var seen: [SeenEvent] = []
            while true {
                let (step, events) = try cursor.take(after: UInt64(seen.count), maxBytes: budget)
                seen += events
                if step.isAtEnd { break }
            }
            #expect(seen == all)
        }
    }

    @Test func `a cursor may go back, and past the end`() throws {
        let journal = try TemporaryJournal()
        let writer = try JournalWriter.create(path: journal.path, journal.jobID)
        try writer.lines("1\n2\n3\n")
        let cursor = try JournalCursor(path: journal.path, journal.jobID)
        #expect(try cursor.take(after: 2).events.map(\.text) == ["3"])
        #expect(try cursor.take(after: 0).events.count == 3)
        #expect(try cursor.take(after: 99).events.isEmpty)
        try writer.lines("4\n")
        #expect(try cursor.take(after: 3).events.map(\.text) == ["4"])
    }

    @Test func `nothing beyond the published head is shown`() throws {
        let journal = try TemporaryJournal()
        let writer = try JournalWriter.create(path: journal.path, journal.jobID)
        try writer.lines("1\n2\n3\n")
        try writer.lines("4\n")
        let cursor = try JournalCursor(path: journal.path, journal.jobID)
        let (step, events) = try cursor.take(after: 0, through: 2)
        #expect(events.map(\.text) == ["1", "2"])
        #expect(step.isAtEnd)
        #expect(try cursor.take(after: 2, through: 4).events.map(\.text) == ["3", "4"])
        #expect(throws: DomeError.self) { try cursor.take(after: 4, through: 5) }
    }

    @Test func `the exit record is no event and survives being read again`() throws {
        let journal = try TemporaryJournal()
        var report = ExitReport(cause: .timeout)
        report.rawWaitStatus = 15
        report.message = String(repeating: "ä", count: 4000)
        do {
            let writer = try JournalWriter.create(path: journal.path, journal.jobID, keepsReserve: true)
            try writer.lines("out\n")
            try writer.appendExit(report)
            #expect(throws: DomeError.self) { try writer.appendExit(report) }
            #expect(writer.lastSeq == 1)
        }
        let writer = try JournalWriter.open(path: journal.path, journal.jobID)
        #expect(writer.exit?.cause == .timeout)
        #expect(writer.exit?.rawWaitStatus == 15)
        #expect(writer.exit?.message.utf8.count == 1024)
        try writer.appendEvent(.stateChange, Array(#"{"to":"failed"}"#.utf8), isTerminal: true)
        #expect(throws: DomeError.self) { try writer.lines("late\n") }
        let summary = try JournalSummary.scan(path: journal.path, journal.jobID)
        #expect(summary.terminalSeq == 2)
        #expect(summary.terminalPayload == Array(#"{"to":"failed"}"#.utf8))
        #expect(summary.exit?.cause == .timeout)
        #expect(UInt64(summary.byteLength) == writer.byteLength)
        let (step, events) = try JournalCursor(path: journal.path, journal.jobID).take(after: 0)
        #expect(events.map(\.seq) == [1, 2])
        #expect(step.reachedTerminal)
    }

    @Test func `there is one writer at a time`() throws {
        let journal = try TemporaryJournal()
        let writer = try JournalWriter.create(path: journal.path, journal.jobID)
        #expect { try JournalWriter.open(path: journal.path, journal.jobID) } throws: {
            ($0 as? DomeError)?.code == .lockConflict
        }
        try writer.lines("1\n")
        writer.giveUp()
        #expect(try JournalWriter.open(path: journal.path, journal.jobID).lastSeq == 1)
        #expect(throws: DomeError.self) { try writer.lines("2\n") }
    }

    @Test func `a journal of another job is refused`() throws {
        let journal = try TemporaryJournal()
        _ = try JournalWriter.create(path: journal.path, journal.jobID)
        #expect(throws: DomeError.self) { try JournalWriter.open(path: journal.path, JobID.make()) }
        #expect(throws: DomeError.self) { try JournalSummary.scan(path: journal.path, JobID.make()) }
    }

    @Test func `what is not there is not found`() throws {
        let journal = try TemporaryJournal()
        #expect { try JournalCursor(path: journal.path, journal.jobID) } throws: {
            ($0 as? DomeError)?.code == .notFound
        }
    }

    @Test func `the reserve of a small journal is two blocks and of a large one is given back`() throws {
        let journal = try TemporaryJournal()
        let writer = try JournalWriter.create(path: journal.path, journal.jobID, keepsReserve: true)
        try writer.lines("x\n")
        #expect(try blocks(journal.path) <= 16 << 10)
        let line = String(repeating: "y", count: 1023) + "\n"
        for _ in 0..<100 { try writer.lines(String(repeating: line, count: 64)) }
        #expect(try blocks(journal.path) > writer.byteLength + 4096)
        try writer.appendExit(ExitReport(cause: .exited))
        #expect(try blocks(journal.path) < writer.byteLength + (32 << 10))
        #expect(try journal.events().count == 6401)
    }

    private func blocks(_ path: String) throws -> UInt64 {
        var status = stat()
        guard stat(path, &status) == 0 else { throw DomeError.system("stat \(path)", errno) }
        return UInt64(status.st_blocks) * 512
    }
}
