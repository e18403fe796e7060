import DomeKeeper
import DomeModel
import Testing

struct KeeperConfigurationTests {
    @Test func `the command line says everything`() throws {
        let configuration = try KeeperConfiguration(arguments: [
            "--socket", "/s", "--jobs", "/j", "--generation", "3", "--idle-exit-ms", "4", "--disk-full-grace-ms", "5",
            "--disk-retry-ms", "6", "--cgroup", "/sys/fs/cgroup/dome",
        ])
        var expected = KeeperConfiguration(socketPath: "/s", jobsPath: "/j", generation: 3)
        expected.idleExitMilliseconds = 4
        expected.diskFullGraceMilliseconds = 5
        expected.diskRetryMilliseconds = 6
        expected.cgroup = .folder("/sys/fs/cgroup/dome")
        #expect(configuration == expected)
    }

    @Test func `what it does not understand it names`() {
        for arguments in [["--sokcet", "/s"], ["--socket"], ["--generation", "new"], ["--cgroup", "here"]] {
            #expect {
                try KeeperConfiguration(arguments: arguments)
            } throws: {
                ($0 as? DomeError)?.message.contains(arguments[0]) == true
            }
        }
    }
}
