// Unit tests of the room Keeper: real jobs in a real keeper process.
import DomeJournal
import DomeLink
import DomeModel
import DomePlatform
import Glibc
import Testing

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
    }
}
