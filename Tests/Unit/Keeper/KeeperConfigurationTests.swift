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

    @Test func `the command line may lie in a file`() throws {
        let arguments = KeeperConfiguration.arguments(fromFile: Array("--socket\0/with space/s\0--jobs\0/j\n".utf8))
        #expect(arguments == ["--socket", "/with space/s", "--jobs", "/j\n"])
        // Not cut off and silently taken for less.
        #expect(KeeperConfiguration.arguments(fromFile: []) == [""])
        #expect(throws: DomeError.self) { try KeeperConfiguration(arguments: [""]) }
    }
}
