import DomeLink
import DomeModel
import DomePlatform
import Testing

/// A keeper that was told where its jobs' control groups are to be, and finds none there.
struct KeeperCgroupTests {
    @Test(arguments: ["/tmp", "/nonexistent", "/proc/self"])
    func `a folder without control groups, when they are wanted in it, lets no job run`(folder: String) throws {
        let keeper = try KeeperFixture(["--cgroup", folder])
        let domed = try FakeDomed(keeper)
        let plan = keeper.plan("echo it ran")
        try domed.launch(plan, on: keeper)
        let (reply, _) = try domed.wait("refused") {
            if case .refused(plan.jobID, .policyDenied, _) = $0 { true } else { false }
        }
        guard case .refused(_, _, let message) = reply else { return }
        #expect(message.contains("jobs are to have control groups in \(folder)"))
        #expect(try keeper.lines(plan.jobID).isEmpty)
    }

    @Test func `a keeper that is to look for itself and finds none runs jobs and says so`() throws {
        let keeper = try KeeperFixture(["--cgroup", "own"])
        let domed = try FakeDomed(keeper)
        #expect(try domed.run(keeper.plan("true"), on: keeper).report.cause == .exited)
        let status = try domed.server(hasHostNetwork: false).status
        let hasGroups = status.layers & SandboxLayers.cgroup != 0
        #expect(hasGroups == status.message.isEmpty)
        #expect(hasGroups || status.message.hasPrefix("jobs have no control groups: "))
    }
}
