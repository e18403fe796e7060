import DomeModel
import DomePlatform
import Glibc
import Testing

@testable import DomeEngine

/// A state directory of the test's own.
private final class State {
    let root: String
    var spare: String { root + "/spare" }

    init() throws {
        var template = "/tmp/dome-spares-XXXXXX".utf8CString.map { $0 }
        guard let made = mkdtemp(&template) else { throw DomeError.system("create a folder", errno) }
        root = String(cString: made)
    }

    deinit { do { try Files.removeTree(root) } catch { print("left behind: \(root): \(error)") } }

    func folders() -> SpareFolders { SpareFolders(folder: spare, jobsPath: root + "/jobs") }

    /// What a daemon's life may leave: a folder, with a journal of `bytes` in it if there is to be one.
    func leave(_ name: String, journal bytes: String?) throws {
        try Files.makeDirectories("\(spare)/\(name)")
        guard let bytes else { return }
        let file = try Files.open("\(spare)/\(name)/events.journal", O_WRONLY | O_CREAT)
        try Files.writeAll(file, Array(bytes.utf8), what: name)
    }

    func inode(_ name: String) -> UInt64? {
        var status = stat()
        return stat("\(spare)/\(name)", &status) == 0 ? UInt64(status.st_ino) : nil
    }
}

@Suite struct `Folders made ahead` {
    @Test func `what an earlier life left is used if it is untouched, and else removed`() throws {
        let state = try State()
        try state.leave("3", journal: "")
        try state.leave("4", journal: "x")
        try state.leave("5", journal: nil)
        try state.leave("18446744073709551615", journal: "")
        try state.leave("more", journal: "")
        try Files.createEmpty(state.spare + "/7")
        let kept = try #require(state.inode("3"))
        let folders = state.folders()
        folders.renew()
        #expect(state.inode("3") == kept)
        let names = try Files.list(state.spare)
        #expect(names.count == 16)
        #expect(!names.contains("more") && !names.contains("18446744073709551615"))
        for name in names { #expect(Files.isEmptyFile("\(state.spare)/\(name)/events.journal"), "\(name)") }
        for number in 0..<16 {
            let spare = try #require(folders.take())
            try folders.move(spare, to: "\(state.root)/jobs/\(JobID.shardName(spare.shard))/job-\(number)")
        }
        #expect(folders.take() == nil && folders.isLow)
        #expect(try Files.list(state.spare).isEmpty)
    }

    @Test func `as many are made as were needed, some at a time, and no more`() throws {
        let state = try State()
        let folders = state.folders()
        folders.renew()
        #expect(folders.isFull && !folders.isLow)
        for _ in 0..<10 { folders.giveBack(try #require(folders.take())) }
        #expect(!folders.isFull)
        #expect(folders.refill(whileIdle: false))
        #expect(try Files.list(state.spare).count == 20)
        for _ in 0..<3 { #expect(folders.refill(whileIdle: true)) }
        #expect(folders.isFull)
        #expect(try Files.list(state.spare).count == 26)
    }
}
