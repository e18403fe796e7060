import DomeJournal
import DomeLink
import DomeModel
import DomePlatform
import Glibc
import Testing

/// Cancel, timeout, full disks, and deaths of everybody.
struct KeeperEndingTests {
    @Test func `a canceled tool gets SIGTERM and its time`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        let plan = keeper.plan("trap 'echo bye; exit 5' TERM; echo ready; while :; do sleep 0.01; done")
        try domed.launch(plan, on: keeper)
        try domed.wait(until: "ready") { try keeper.lines(plan.jobID) == ["ready"] }
        domed.send(.cancel(plan.jobID, event: LinkEvent(.guard, Array(#"{"cancel":true}"#.utf8))))
        let exit = try domed.waitForExit(plan.jobID).exit
        #expect(exit.report.cause == .canceled)
        #expect(exit.report.exitCode == 5)
        // Some shells say "Terminated" of the sleep that was in their way.
        let texts = try keeper.events(plan.jobID).map(\.text).filter { $0 != "Terminated" }
        #expect(texts.suffix(3) == ["ready", #"{"cancel":true}"#, "bye"])
    }

    @Test func `a tool that ignores SIGTERM is killed after the grace`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        var plan = keeper.plan("trap '' TERM; echo ready; while :; do sleep 0.01; done")
        plan.limits.graceMilliseconds = 300
        try domed.launch(plan, on: keeper)
        try domed.wait(until: "ready") { try keeper.lines(plan.jobID) == ["ready"] }
        let before = Clock.monotonicNanoseconds()
        domed.send(.cancel(plan.jobID, event: nil))
        let exit = try domed.waitForExit(plan.jobID).exit
        #expect(exit.report.cause == .canceled)
        #expect(exit.report.signal == SIGKILL)
        #expect(Clock.monotonicNanoseconds() - before > 290_000_000)
    }

    @Test func `a job canceled at its gate never runs`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        let plan = keeper.plan("echo ran")
        try domed.launch(plan, on: keeper, isGated: true)
        try domed.wait("prepared") { $0 == .prepared(plan.jobID) }
        domed.send(.cancel(plan.jobID, event: nil))
        domed.send(.go(plan.jobID))
        let exit = try domed.waitForExit(plan.jobID).exit
        #expect(exit.report.cause == .canceled)
        #expect(exit.report.startedNanoseconds == 0)
        #expect(try keeper.lines(plan.jobID).isEmpty)
    }

    @Test func `a job that takes too long ends as timeout`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        var plan = keeper.plan("echo begun; sleep 60")
        plan.limits.wallMilliseconds = 200
        let exit = try domed.run(plan, on: keeper)
        #expect(exit.report.cause == .timeout)
        #expect(exit.report.message.contains("200 ms"))
        #expect(try keeper.lines(plan.jobID) == ["begun"])
    }

    @Test func `jobs go on when domed is gone, and the next one misses nothing`() throws {
        let keeper = try KeeperFixture()
        var domed = try FakeDomed(keeper)
        let first = keeper.plan("for i in 1 2 3 4 5 6 7 8; do echo $i; sleep 0.05; done")
        let gated = keeper.plan("echo gated")
        let long = keeper.plan("echo long; sleep 30")
        try domed.launch(first, on: keeper)
        try domed.launch(gated, on: keeper, isGated: true)
        try domed.launch(long, on: keeper)
        try domed.wait(until: "two lines") { try keeper.lines(first.jobID).count >= 2 }
        try domed.wait("prepared") { $0 == .prepared(gated.jobID) }
        domed.disconnect()
        // Ends with nobody listening.
        let deadline = Clock.monotonicNanoseconds() + 10_000_000_000
        while try keeper.summary(first.jobID).exit == nil, Clock.monotonicNanoseconds() < deadline { usleep(1000) }
        domed = try FakeDomed(keeper)
        let phases = domed.replies.compactMap { entry -> (JobID, KeeperJob.Phase)? in
            if case .job(let job) = entry.reply { (job.head.jobID, job.phase) } else { nil }
        }
        #expect(
            Dictionary(uniqueKeysWithValues: phases) == [
                first.jobID: .exited, gated.jobID: .gated, long.jobID: .running,
            ])
        let (exit, work) = try domed.waitForExit(first.jobID)
        #expect(exit.report.exitCode == 0)
        #expect(work != nil)
        #expect(try keeper.lines(first.jobID) == (1...8).map(String.init))
        domed.send(.go(gated.jobID))
        try domed.waitForExit(gated.jobID)
        for jobID in [first.jobID, gated.jobID] { domed.send(.release(jobID)) }
        domed.send(.list)
        let before = domed.replies.count
        try domed.wait(until: "the second list") {
            domed.replies.dropFirst(before).contains { if case .listEnd = $0.reply { true } else { false } }
        }
        let left = domed.replies.dropFirst(before).compactMap { entry -> JobID? in
            if case .job(let job) = entry.reply { job.head.jobID } else { nil }
        }
        #expect(left == [long.jobID])
    }

    @Test func `a new domed takes the old one's place`() throws {
        let keeper = try KeeperFixture()
        let old = try FakeDomed(keeper)
        let new = try FakeDomed(keeper)
        try old.wait(until: "the hang-up") { old.isClosed }
        #expect(try new.run(keeper.plan("true"), on: keeper).report.exitCode == 0)
    }

    @Test func `when the keeper is killed its jobs die, and the pidfds say when`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        let pidfds = [
            try #require(try domed.server(hasHostNetwork: false).pidfd),
            try #require(try domed.server(hasHostNetwork: true).pidfd),
        ]
        let marker = "\(900_000 + Int.random(in: 0..<90_000))"
        for network in [NetworkMode.none, .full] {
            var plan = keeper.plan("sleep \(marker)")
            plan.network = network
            try domed.launch(plan, on: keeper)
            try domed.waitUntilStarted(plan.jobID)
        }
        #expect(try sleepers(marker) >= 2)
        keeper.process.send(signal: SIGKILL)
        for pidfd in pidfds {
            var poller = pollfd(fd: pidfd.number, events: Int16(POLLIN), revents: 0)
            #expect(poll(&poller, 1, 5000) == 1)
        }
        #expect(try sleepers(marker) == 0)
    }

    /// Processes on this machine with the marker in their command line.
    private func sleepers(_ marker: String) throws -> Int {
        try Files.list("/proc").filter { name in
            guard Int32(name) != nil else { return false }
            guard let line = try? Files.read("/proc/\(name)/cmdline", limitBytes: 1 << 20) else { return false }
            return String(decoding: line, as: UTF8.self).contains("sleep")
                && String(decoding: line, as: UTF8.self).contains(marker)
        }.count
    }

    @Test func `when an inner server is killed its jobs are lost and the next one serves`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        let plan = keeper.plan("echo said; sleep 60")
        try domed.launch(plan, on: keeper)
        try domed.wait(until: "the line") { try keeper.lines(plan.jobID) == ["said"] }
        let server = try domed.server(hasHostNetwork: false).status
        #expect(kill(server.processID, SIGKILL) == 0)
        let exit = try domed.waitForExit(plan.jobID).exit
        #expect(exit.report.cause == .keeperLost)
        #expect(exit.report.message.contains("server died"))
        let next = keeper.plan("echo again")
        #expect(try domed.run(next, on: keeper).report.exitCode == 0)
        #expect(try domed.server(hasHostNetwork: false).status.processID != server.processID)
    }

    @Test func `SIGTERM retires the keeper: it leaves when the last job is released`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper)
        let plan = keeper.plan("echo here; sleep 0.3; echo there")
        try domed.launch(plan, on: keeper)
        try domed.wait(until: "the line") { try keeper.lines(plan.jobID) == ["here"] }
        for signal in [SIGHUP, SIGINT, SIGTERM] { keeper.process.send(signal: signal) }
        try domed.waitForExit(plan.jobID)
        #expect(try keeper.lines(plan.jobID) == ["here", "there"])
        let late = keeper.plan("true")
        try domed.launch(late, on: keeper)
        try domed.wait("refused") { if case .refused(late.jobID, _, _) = $0 { true } else { false } }
        domed.send(.release(plan.jobID))
        domed.turn()
        try keeper.waitUntilEnded()
        #expect(!Files.exists(keeper.socketPath))
    }

    @Test func `a keeper without domed and jobs leaves after its time`() throws {
        let keeper = try KeeperFixture(["--idle-exit-ms", "100"])
        let domed = try FakeDomed(keeper)
        try domed.wait(until: "longer than that") { true }
        usleep(200_000)
        #expect(!keeper.process.hasEnded)
        domed.disconnect()
        try keeper.waitUntilEnded()
    }

    /// Stopped meanwhile, it learns of both in one turn.
    @Test func `the next domed is served though the last one's end is heard at the same moment`() throws {
        let keeper = try KeeperFixture()
        let last = try FakeDomed(keeper)
        // It has nothing more to tell, or telling it would be how it learns of the first end.
        for hasHostNetwork in [false, true] { _ = try last.server(hasHostNetwork: hasHostNetwork) }
        try keeper.stop()
        defer { keeper.process.send(signal: SIGCONT) }
        last.disconnect()
        let next = try FakeDomed(keeper, saysHello: false)
        next.send(.hello(oldest: 1, current: 1))
        keeper.process.send(signal: SIGCONT)
        try next.wait(until: "an answer") { !next.replies.isEmpty || next.isClosed }
        #expect(!next.isClosed)
        let exit = try next.run(keeper.plan("exit 3"), on: keeper)
        #expect(exit.report.exitCode == 3)
    }

    @Test func `versions that do not meet end the connection`() throws {
        let keeper = try KeeperFixture()
        let domed = try FakeDomed(keeper, saysHello: false)
        domed.send(.hello(oldest: 9, current: 10))
        try domed.wait(until: "the hang-up") { domed.isClosed }
    }
}
