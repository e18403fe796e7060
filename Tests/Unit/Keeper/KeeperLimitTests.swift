import DomeLink
import DomeModel
import Glibc
import Testing

/// What the journal and the report say of limits that acted and of what was used, without control groups.
struct KeeperLimitTests {
    private func run(
        _ script: String, _ change: (inout Limits) -> Void = { _ in }
    ) throws -> (report: ExitReport, guards: [JSONValue]) {
        let keeper = try KeeperFixture(["--cgroup", "none"])
        let domed = try FakeDomed(keeper)
        var plan = keeper.plan(script)
        change(&plan.limits)
        let exit = try domed.run(plan, on: keeper)
        let events = try keeper.events(plan.jobID)
        let guards = events.filter { $0.kind == .guard }
        return (exit.report, try guards.map { try JSONParser.parse($0.payload, what: "it") })
    }

    @Test func `the wall-clock limit says that it ended the job`() throws {
        let (report, guards) = try run("exec sleep 60") { $0.wallMilliseconds = 200 }
        #expect(report.cause == .timeout)
        #expect(guards.map { $0["limit"] } == ["wall_seconds"])
        #expect(guards.first?["value"] == 200)
        #expect(guards.first?["unit"] == "milliseconds")
        #expect((guards.first?["used"]?.integerValue ?? 0) >= 195)
    }

    @Test func `processor time that is used up is named`() throws {
        let (report, guards) = try run("while :; do :; done") { $0.cpuSeconds = 1 }
        #expect(report.signal == SIGXCPU)
        #expect(guards.map { $0["limit"] } == ["cpu_seconds"])
        #expect(guards.first?["value"] == 1000)
        // The kernel and getrusage round differently.
        #expect((500...3000).contains(guards.first?["used"]?.integerValue ?? 0))
    }

    @Test func `a file that grew too large is named`() throws {
        let (report, guards) = try run("exec head -c 100000 /dev/zero > /job/x") { $0.fileBytes = 8192 }
        #expect(report.signal == SIGXFSZ)
        #expect(guards.map { $0["limit"] } == ["file_bytes"])
        #expect(guards.first?["value"] == 8192)
        #expect(guards.first?["used"] == nil)
        #expect(report.workUsedBytes == 8192)
    }

    @Test func `a full work folder is named, one with room is not`() throws {
        let full = try run("head -c 100000 /dev/zero > /job/x; true") { $0.diskBytes = 16384 }
        #expect(full.guards.map { $0["limit"] } == ["disk_bytes"])
        #expect(full.guards.first?["used"] == 16384)
        let roomy = try run("head -c 8000 /dev/zero > /job/x") { $0.diskBytes = 16384 }
        #expect(roomy.guards.isEmpty)
        #expect(roomy.report.workUsedBytes == 8192)
    }

    @Test func `a tool that just fails is not blamed on a limit`() throws {
        for script in ["exit 7", "kill -KILL $$", "kill -SEGV $$"] {
            #expect(try run(script).guards.isEmpty, "\(script)")
        }
    }

    @Test func `what only a control group knows is left out without one`() throws {
        let (report, _) = try run("true")
        #expect(report.peakMemoryBytes == nil)
        #expect(report.maxResidentKilobytes > 0)
        // Nothing here is on a disk that the job could write.
        #expect(report.diskWrittenBytes == 0)
    }
}
