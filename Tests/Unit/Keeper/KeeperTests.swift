// Unit tests of the room Keeper: real jobs in a real keeper process.
import DomeJournal
import DomeLink
import DomeModel
import DomePlatform
import Glibc
import Testing

/// A job's way from launch to release.
struct KeeperTests {
    @Test func `a job's lines are in its journal between the running event and the exit record`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        let plan = keeper.plan("echo hello; echo oops >&2; exit 3")
        let exit = try domed.run(plan, on: keeper)
        #expect(exit.report.cause == .exited)
        #expect(exit.report.exitCode == 3)
        let events = try keeper.events(plan.jobID)
        #expect(events.prefix(2).map(\.text) == [#"{"to":"queued"}"#, #"{"to":"running"}"#])
        #expect(Set(events.dropFirst(2).map(\.text)) == ["hello", "oops"])
        #expect(events.map(\.seq) == [1, 2, 3, 4])
        #expect(exit.head.lastSeq == 4)
        let summary = try keeper.summary(plan.jobID)
        #expect(summary.exit == exit.report)
        #expect(summary.terminalSeq == nil)
        #expect(exit.report.startedNanoseconds > 0)
        #expect(exit.report.endedNanoseconds >= exit.report.startedNanoseconds)
        #expect(exit.report.enforcedLayers != 0)
    }

    @Test func `a gated job runs only after go`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        let plan = keeper.plan("echo ran")
        try domed.launch(plan, on: keeper, isGated: true)
        try domed.wait("prepared") { $0 == .prepared(plan.jobID) }
        #expect(try keeper.events(plan.jobID).count == 1)
        domed.send(.go(plan.jobID))
        _ = try domed.waitForExit(plan.jobID)
        #expect(try keeper.lines(plan.jobID) == ["ran"])
    }

    @Test func `go may be said before the job is at its gate`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        let plan = keeper.plan("echo ran")
        try domed.launch(plan, on: keeper, isGated: true)
        domed.send(.go(plan.jobID))
        #expect(try domed.waitForExit(plan.jobID).exit.report.exitCode == 0)
    }

    @Test func `an aborted job leaves no trace and its journal free`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        let plan = keeper.plan("echo ran")
        try domed.launch(plan, on: keeper, isGated: true)
        domed.send(.abort(plan.jobID))
        try domed.wait("aborted") { $0 == .aborted(plan.jobID) }
        let writer = try JournalWriter.open(path: keeper.journalPath(plan.jobID), plan.jobID)
        #expect(writer.lastSeq == 1)
        #expect(writer.exit == nil)
    }

    @Test func `the journal is domed's until go and after the exit`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        let plan = keeper.plan("read line")
        try domed.launch(plan, on: keeper, isGated: true)
        try domed.wait("prepared") { $0 == .prepared(plan.jobID) }
        try JournalWriter.open(path: keeper.journalPath(plan.jobID), plan.jobID).giveUp()
        var waiting = keeper.plan("sleep 1000")
        waiting.limits.graceMilliseconds = 1
        try domed.launch(waiting, on: keeper, isGated: true)
        domed.send(.go(waiting.jobID))
        try domed.waitUntilStarted(waiting.jobID)
        #expect { try JournalWriter.open(path: keeper.journalPath(waiting.jobID), waiting.jobID) } throws: {
            ($0 as? DomeError)?.code == .lockConflict
        }
        domed.send(.cancel(waiting.jobID, event: nil))
        try domed.waitForExit(waiting.jobID)
        _ = try JournalWriter.open(path: keeper.journalPath(waiting.jobID), waiting.jobID)
        domed.send(.go(plan.jobID))
        try domed.waitForExit(plan.jobID)
        let writer = try JournalWriter.open(path: keeper.journalPath(plan.jobID), plan.jobID)
        #expect(writer.exit?.exitCode == 1)
        #expect(try writer.appendEvent(.stateChange, Array("{}".utf8), isTerminal: true) == 3)
    }

    @Test func `a gated job without a journal at go is refused and nothing of it runs`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        let plan = keeper.plan("echo ran")
        domed.send(.launch(KeeperLaunch(plan: plan, isGated: true, runningEvent: nil)))
        try domed.wait("prepared") { $0 == .prepared(plan.jobID) }
        domed.send(.go(plan.jobID))
        try domed.wait("refused") {
            guard case .refused(plan.jobID, .notFound, let message) = $0 else { return false }
            return message.contains("events.journal")
        }
        // It is forgotten: the same job may come again.
        try domed.launch(plan, on: keeper, isGated: true)
        domed.send(.go(plan.jobID))
        _ = try domed.waitForExit(plan.jobID)
        #expect(try keeper.lines(plan.jobID) == ["ran"])
    }

    @Test func `a job that comes to nothing before its gate says so after go, or vanishes`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        for isAborted in [false, true] {
            var plan = keeper.plan("echo ran")
            plan.mounts = [Mount(source: "/nowhere", target: "/nowhere", isWritable: false)]
            domed.send(.launch(KeeperLaunch(plan: plan, isGated: true, runningEvent: nil)))
            if isAborted {
                domed.send(.abort(plan.jobID))
                try domed.wait("aborted") { $0 == .aborted(plan.jobID) }
            } else {
                try keeper.makeJournal(plan.jobID)
                domed.send(.go(plan.jobID))
                let exit = try domed.waitForExit(plan.jobID)
                #expect(exit.exit.report.cause == .launchFailed)
                #expect(exit.exit.report.message.contains("/nowhere"))
            }
        }
    }

    @Test func `the job's folder comes with its exit and outlives it`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        var plan = keeper.plan("cat given; echo made > out.txt")
        plan.files = [PlannedFile(path: "given", mode: 0o600, bytes: Array("planned\n".utf8))]
        try domed.launch(plan, on: keeper)
        let work = try #require(try domed.waitForExit(plan.jobID).work)
        domed.send(.release(plan.jobID))
        #expect(try Files.read("/proc/self/fd/\(work.number)/out.txt", limitBytes: 100) == Array("made\n".utf8))
        #expect(try keeper.lines(plan.jobID) == ["planned"])
    }

    @Test func `standard input is what the plan says`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        var plan = keeper.plan("wc -c")
        plan.standardInput = .bytes([UInt8](repeating: 0x61, count: 3_000_000))
        #expect(try domed.run(plan, on: keeper).report.exitCode == 0)
        #expect(try keeper.lines(plan.jobID) == ["3000000"])
        let empty = keeper.plan("wc -c")
        _ = try domed.run(empty, on: keeper)
        #expect(try keeper.lines(empty.jobID) == ["0"])
    }

    @Test func `a job with a terminal finds one and reads from it`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        var plan = keeper.plan("test -t 0 && test -t 1 && test -t 2 && stty size && read line && echo got $line")
        plan.usesTerminal = true
        plan.standardInput = .bytes(Array("word\n".utf8))
        #expect(try domed.run(plan, on: keeper).report.exitCode == 0)
        let lines = try keeper.lines(plan.jobID)
        #expect(lines.contains("24 80\r"))
        #expect(lines.contains("got word\r"))
    }

    @Test func `a program that is not there is a failed launch, with the reason in the journal`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        var plan = keeper.plan("")
        plan.arguments = ["/usr/bin/no-such-program"]
        let exit = try domed.run(plan, on: keeper)
        #expect(exit.report.cause == .launchFailed)
        #expect(exit.report.message.contains("no-such-program"))
        #expect(try keeper.summary(plan.jobID).exit?.cause == .launchFailed)
        #expect(try keeper.events(plan.jobID).count == 1)
    }

    @Test func `a job without a journal is refused`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        let plan = keeper.plan("true")
        domed.send(.launch(KeeperLaunch(plan: plan, isGated: false, runningEvent: nil)))
        try domed.wait("refused") { if case .refused(plan.jobID, .notFound, _) = $0 { true } else { false } }
        let taken = keeper.plan("true")
        try keeper.makeJournal(taken.jobID)
        let writer = try JournalWriter.open(path: keeper.journalPath(taken.jobID), taken.jobID)
        domed.send(.launch(KeeperLaunch(plan: taken, isGated: false, runningEvent: nil)))
        try domed.wait("refused") { if case .refused(taken.jobID, .lockConflict, _) = $0 { true } else { false } }
        withExtendedLifetime(writer) {}
    }

    @Test func `domed's events are appended while the job runs and refused afterwards`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        let plan = keeper.plan("echo one; read x < /dev/zero; sleep 30")
        try domed.launch(plan, on: keeper)
        try domed.wait(until: "the line") { try keeper.lines(plan.jobID) == ["one"] }
        domed.send(.appendEvent(plan.jobID, number: 5, LinkEvent(.guard, Array("{}".utf8))))
        try domed.wait("appended") { $0 == .appended(plan.jobID, number: 5, seq: 4) }
        domed.send(.cancel(plan.jobID, event: nil))
        try domed.waitForExit(plan.jobID)
        domed.send(.appendEvent(plan.jobID, number: 6, LinkEvent(.guard, Array("{}".utf8))))
        try domed.wait("refused") { $0 == .appended(plan.jobID, number: 6, seq: nil) }
    }

    @Test func `heads tell how far a running job has come`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        let plan = keeper.plan("echo one; sleep 0.05; echo two; sleep 30")
        try domed.launch(plan, on: keeper)
        try domed.wait("the head of line two") {
            if case .heads(let heads) = $0 {
                heads.contains { $0.jobID == plan.jobID && $0.lastSeq == 4 }
            } else {
                false
            }
        }
        #expect(try keeper.events(plan.jobID).count == 4)
    }
}
