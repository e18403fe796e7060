import DomeJournal
import DomeLink
import DomeModel
import DomePlatform
import Glibc
import Testing

/// What tools do to their output.
struct KeeperOutputTests {
    private func lines(_ script: String, change: (inout LaunchPlan) -> Void = { _ in }) throws -> [KeptEvent] {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        var plan = keeper.plan(script)
        change(&plan)
        let exit = try domed.run(plan, on: keeper)
        #expect(exit.report.cause == .exited)
        let events = try keeper.events(plan.jobID)
        #expect(events.map(\.seq) == Array(1...UInt64(max(1, events.count))))
        #expect(exit.head.lastSeq == UInt64(events.count))
        return Array(events.dropFirst(2))
    }

    @Test func `a last line without newline is delivered`() throws {
        let events = try lines("echo whole; printf rest")
        #expect(events.map(\.text) == ["whole", "rest"])
        #expect(events.map(\.isPartial) == [false, true])
    }

    @Test func `NUL, broken UTF-8 and escape sequences arrive as they were`() throws {
        let events = try lines(#"printf 'a\0b\n\377\376\n\033[31mred\r\n'"#)
        let red = Array("\u{1b}[31mred\r".utf8)
        #expect(events.map(\.payload) == [[0x61, 0, 0x62], [0xff, 0xfe], red])
    }

    @Test func `progress lines are two events`() throws {
        let events = try lines("echo PROGRESS:0.5; echo PROGRESS:1")
        #expect(events.map(\.kind) == [.log, .progress, .log, .progress])
        #expect(events.map(\.text) == ["PROGRESS:0.5", "0.5", "PROGRESS:1", "1"])
    }

    @Test func `a flood keeps its order and loses nothing below the limit`() throws {
        let events = try lines("seq 1 300000")
        #expect(events.count == 300_000)
        #expect(events.enumerated().allSatisfy { $1.text == "\($0 + 1)" })
    }

    @Test func `a flood beyond the limit is drained and one event says what was dropped`() throws {
        let events = try lines("seq 1 3000000; echo done >&2") { $0.limits.outputBytes = 100_000 }
        let notice = try JSONParser.parse(try #require(events.last).payload, what: "notice")
        #expect(events.last?.kind == .guard)
        let kept = events.dropLast()
        let keptBytes = kept.reduce(0) { $0 + $1.payload.count + 1 }
        // seq 1 3000000 prints 22,888,896 bytes; the line on stderr comes when the limit is long passed.
        #expect(notice["dropped_bytes"]?.integerValue == Int64(22_888_896 + 5 - keptBytes))
        #expect(notice["dropped_lines"]?.integerValue == Int64(3_000_001 - kept.count))
        #expect(notice["after_seq"]?.integerValue == Int64(kept.count + 2))
    }

    @Test func `a line of 200 MB is split and the keeper stays small`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        var plan = keeper.plan("head -c 200000000 /dev/zero | tr '\\0' x; echo; echo end")
        plan.limits.outputBytes = 1 << 30
        let exit = try domed.run(plan, on: keeper)
        #expect(exit.report.exitCode == 0)
        var (bytes, pieces, lineIDs) = (0, 0, Set<UInt64>())
        var last: [UInt8] = []
        let cursor = try JournalCursor(path: keeper.journalPath(plan.jobID), plan.jobID)
        _ = try cursor.next(after: 2, maxBytes: .max / 2) { event in
            if event.lineID != 0 {
                bytes += event.payload.count
                pieces += 1
                lineIDs.insert(event.lineID)
            }
            last = [UInt8](event.payload)
        }
        #expect(bytes == 200_000_000)
        #expect(pieces == 3052)
        #expect(lineIDs == [3])
        #expect(last == Array("end".utf8))
        let kilobytes = try keeper.peakKilobytes()
        // Debug binaries with their dynamic runtime begin at some 20 MB.
        #expect(kilobytes < 60_000)
    }

    @Test func `a prompt without newline is seen while the tool waits`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        let plan = keeper.plan("printf 'Name: '; sleep 30")
        try domed.launch(plan, on: keeper)
        try domed.wait(until: "the prompt") { try keeper.lines(plan.jobID) == ["Name: "] }
        let prompt = try #require(try keeper.events(plan.jobID).last)
        #expect(prompt.isPartial)
        #expect(prompt.lineID == prompt.seq)
    }

    @Test func `a tool that closes its output goes on running`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        let plan = keeper.plan("echo before; exec >&- 2>&-; sleep 0.3; echo x > /job/done")
        try domed.launch(plan, on: keeper)
        let (exit, work) = try domed.waitForExit(plan.jobID)
        #expect(exit.report.exitCode == 0)
        #expect(exit.report.endedNanoseconds - exit.report.startedNanoseconds > 290_000_000)
        #expect(Files.exists("/proc/self/fd/\(try #require(work).number)/done"))
        #expect(try keeper.lines(plan.jobID) == ["before"])
    }

    @Test func `a grandchild that holds the pipe does not hold up the end`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        let plan = keeper.plan("setsid sleep 60 & echo started; exit 0")
        let before = Clock.monotonicNanoseconds()
        let exit = try domed.run(plan, on: keeper)
        #expect(exit.report.exitCode == 0)
        #expect(Clock.monotonicNanoseconds() - before < 5_000_000_000)
        #expect(try keeper.lines(plan.jobID) == ["started"])
    }

    @Test func `a quiet job beside a flood is served`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        var flood = keeper.plan("yes")
        flood.limits.outputBytes = 1 << 20
        try domed.launch(flood, on: keeper)
        try domed.waitUntilStarted(flood.jobID)
        for _ in 0..<5 { #expect(try domed.run(keeper.plan("echo hi"), on: keeper).report.exitCode == 0) }
        domed.send(.cancel(flood.jobID, event: nil))
        #expect(try domed.waitForExit(flood.jobID).exit.report.cause == .canceled)
    }
}
