import DomeJournal
import DomeLink
import DomeModel
import DomePlatform
import Glibc
import Testing

/// A full disk: a small file system for the journals. Mounting one takes root; as somebody else there is nothing
/// to test with.
@Suite(.enabled(if: geteuid() == 0))
struct KeeperDiskTests {
    /// A tmpfs of 1 MiB over the keeper's jobs folder.
    private final class SmallDisk {
        let path: String
        init(_ keeper: KeeperFixture) throws {
            path = keeper.folder + "/jobs"
            try Files.makeDirectories(path)
            guard mount("dome-test", path, "tmpfs", 0, "size=1m") == 0 else { throw DomeError.system("mount", errno) }
        }
        deinit { umount2(path, Int32(MNT_DETACH)) }

        func fill() throws {
            let file = try Files.open(path + "/ballast", O_WRONLY | O_CREAT)
            let chunk = [UInt8](repeating: 1, count: 4096)
            while write(file.number, chunk, chunk.count) > 0 {}
        }

        func free() { unlink(path + "/ballast") }
    }

    @Test func `a tool waits while the disk is full, and loses nothing`() throws {
        let keeper = try KeeperFixture(["--disk-retry-ms", "20"])
        let disk = try SmallDisk(keeper)
        let domed = try FakeDomed(keeper)
        let plan = keeper.plan("echo first; sleep 0.3; seq 1 50000")
        try domed.launch(plan, on: keeper)
        try domed.wait(until: "the first line") { try keeper.lines(plan.jobID) == ["first"] }
        try disk.fill()
        try domed.wait(until: "the journal to be blocked") { try keeper.log().contains("journal_blocked") }
        disk.free()
        let exit = try domed.waitForExit(plan.jobID).exit
        #expect(exit.report.cause == .exited)
        #expect(try keeper.lines(plan.jobID) == ["first"] + (1...50_000).map(String.init))
    }

    @Test func `a disk that stays full ends the job, and the exit record fits its reserve`() throws {
        let keeper = try KeeperFixture(["--disk-retry-ms", "20", "--disk-full-grace-ms", "400"])
        let disk = try SmallDisk(keeper)
        let domed = try FakeDomed(keeper)
        let plan = keeper.plan("echo first; sleep 0.2; exec yes")
        try domed.launch(plan, on: keeper)
        try domed.wait(until: "the first line") { try keeper.lines(plan.jobID) == ["first"] }
        try disk.fill()
        let exit = try domed.waitForExit(plan.jobID).exit
        #expect(exit.report.cause == .diskFull)
        let summary = try keeper.summary(plan.jobID)
        #expect(summary.exit?.cause == .diskFull)
        #expect(try keeper.events(plan.jobID).last?.kind == .guard)
        // The tool was held back all the while: nothing piled up here.
        #expect(try keeper.peakKilobytes() < 60_000)
    }
}
