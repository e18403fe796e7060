import DomeCrypto
import DomeLink
import DomeModel
import DomePlatform
import DomeStore
import Glibc
import Testing

@testable import DomeEngine

/// A folder to copy to, and an executor that has what the test says.
private final class Target {
    let root: String
    var limits = ArtifactLimits(files: 1_000, bytes: 64 << 20)
    var path: String { root + "/artifacts" }

    init() throws {
        var template = "/tmp/dome-copies-XXXXXX".utf8CString.map { $0 }
        guard let made = mkdtemp(&template) else { throw DomeError.system("create a folder", errno) }
        root = String(cString: made)
    }

    deinit { do { try Files.removeTree(root) } catch { print("left behind: \(root): \(error)") } }

    /// Hands in `files`, listed with `sizes` where those say something else, `piece` bytes at a time.
    func fetch(
        _ files: [(name: String, content: String)], sizes: [String: UInt64] = [:], piece: Int = .max
    ) throws -> ArtifactCollection {
        let entries = files.map { file in
            JSONValue.object([
                "name": .string(file.name),
                "bytes": .integer(Int64(clamping: sizes[file.name] ?? UInt64(file.content.utf8.count))),
            ])
        }
        let document: JSONValue = ["artifacts": .array(entries)]
        let copies = try DrivenCopies(DriveArtifacts(Array(document.compact.utf8)), to: path, limits)
        while let wish = copies.next() {
            #expect(wish.size > 0)
            let content = Array(files.first { $0.name.utf8.elementsEqual(wish.name.utf8) }?.content.utf8 ?? "".utf8)
            let rest = content.dropFirst(Int(clamping: wish.offset))
            copies.take(Array(rest.prefix(min(Int(wish.size), piece))))
        }
        return copies.collection
    }

    func kept(_ name: String) throws -> String {
        String(decoding: try Files.read(path + "/" + name, limitBytes: 8 << 20), as: UTF8.self)
    }
}

@Suite struct `Artifacts of driven jobs` {
    @Test(arguments: [1, 3, Int.max])
    func `are kept as they are handed in, whatever the pieces, in order`(piece: Int) throws {
        let target = try Target()
        let files = [("z", "last"), ("a-b", "dash"), ("a/b/c", "deep down"), ("empty", "")]
        let collection = try target.fetch(files, piece: piece)
        #expect(collection.artifacts.map(\.path) == ["a/b/c", "a-b", "empty", "z"])
        #expect(
            try collection.artifacts.map(\.sha256) == ["deep down", "dash", "", "last"].map { try SHA256.digest($0) })
        #expect(collection.artifacts.map(\.byteCount) == [9, 4, 0, 4])
        #expect(collection.omissions.count == 0)
        #expect(try target.kept("a/b/c") == "deep down")
        var status = stat()
        #expect(lstat(target.path + "/a/b/c", &status) == 0 && status.st_mode & 0o7777 == 0o400)
    }

    @Test(arguments: [
        "", "/", "/etc/cron.d/x", "..", "../x", "a/../../x", "a//b", "a/", "./a", "a/./b", "nul\u{0}byte",
    ])
    func `a name that is no plain path is nobody's file`(name: String) throws {
        let target = try Target()
        let collection = try target.fetch([(name, "evil"), ("good", "good")])
        #expect(collection.artifacts.map(\.path) == ["good"])
        #expect(collection.omissions.counts == [.path: 1])
        #expect(try Files.list(target.path) == ["good"])
        #expect(try Files.list(target.root) == ["artifacts"])
    }

    @Test func `names are spelled as those of files are, and two spellings are two files`() throws {
        let target = try Target()
        let composed = "\u{e9}/x"
        let decomposed = "e\u{301}/x"
        let files = [("a\nb", "1"), ("\u{1b}[2J", "2"), ("\u{202e}gpj", "3"), (composed, "4"), (decomposed, "5")]
        let collection = try target.fetch(files)
        #expect(collection.omissions.count == 0)
        #expect(collection.artifacts.count == 5)
        #expect(try target.kept("a%0Ab") == "1" && target.kept("%1B[2J") == "2")
        #expect(try target.kept(composed) == "4" && target.kept(decomposed) == "5")
    }

    @Test func `a name is taken once, also by a folder`() throws {
        let target = try Target()
        let collection = try target.fetch([
            ("a", "1"), ("a", "2"), ("a/b", "3"), ("c/d", "4"), ("c", "5"), ("c/d/e", "6"),
        ])
        #expect(collection.artifacts.map(\.path) == ["a", "c"])
        #expect(collection.omissions.counts == [.path: 4])
        #expect(try target.kept("a") == "1")
    }

    @Test func `names have a length and a depth`() throws {
        let target = try Target()
        let deepest = String(repeating: "d/", count: 16) + "f"
        let long = String(repeating: "n", count: 256)
        let files = [
            (deepest, "1"), ("d/" + deepest, "2"), (long, "3"), (String(repeating: "l/", count: 300) + "x", "4"),
        ]
        let collection = try target.fetch(files)
        #expect(collection.artifacts.map(\.path) == [deepest])
        #expect(collection.omissions.counts == [.depth: 1, .name: 2])
    }

    @Test func `one that is not as long as it was said to be is left out whole`() throws {
        let target = try Target()
        let collection = try target.fetch(
            [("longer", "123456"), ("right", "123"), ("shorter", "1")], sizes: ["longer": 3, "shorter": 3], piece: 2)
        #expect(collection.artifacts.map(\.path) == ["right"])
        #expect(collection.omissions.counts == [.unreadable: 2])
        #expect(try Files.list(target.path) == ["right"])
    }

    @Test func `limits leave out whole files, and smaller ones are still taken`() throws {
        let target = try Target()
        (target.limits.files, target.limits.bytes) = (3, 10)
        let files = [("a", "12345678"), ("b", "123"), ("c", "12"), ("d", ""), ("e", "")]
        let sizes: [String: UInt64] = ["b": .max / 2]
        let collection = try target.fetch(files, sizes: sizes)
        #expect(collection.artifacts.map(\.path) == ["a", "c", "d"])
        #expect(collection.omissions.counts == [.bytes: 1, .files: 1])
        target.limits.names = 2
        let fewer = try target.fetch(files)
        #expect(fewer.artifacts.map(\.path) == ["a"])
        #expect(fewer.omissions.counts == [.bytes: 1, .names: 3])
    }

    @Test func `what an earlier try left is replaced`() throws {
        let target = try Target()
        try Files.makeDirectories(target.path + "/sub")
        try Files.writeAtomically(target.path + "/sub/old", Array("old".utf8))
        #expect(symlink("/etc/passwd", target.path + "/new") == 0)
        _ = try target.fetch([("new", "new")])
        #expect(try Files.list(target.path) == ["new"])
        #expect(try target.kept("new") == "new")
    }

    @Test func `the rest is left out when there is no more time`() throws {
        let target = try Target()
        let document = Array(#"{"artifacts":[{"name":"a","bytes":9},{"name":"b\n","bytes":1}]}"#.utf8)
        let copies = try DrivenCopies(DriveArtifacts(document), to: target.path, target.limits)
        #expect(copies.next() == .init(name: "a", offset: 0, size: 9))
        copies.take(Array("1234".utf8))
        #expect(copies.next() == .init(name: "a", offset: 4, size: 5))
        copies.leaveOutRest(.late)
        #expect(copies.next() == nil)
        #expect(copies.collection.artifacts.isEmpty)
        #expect(copies.collection.omissions.examples.map(\.path) == ["a", "b%0A"])
        #expect(try Files.list(target.path) == [])
    }

    @Test(arguments: [
        ("{", "not valid JSON"), ("[]", "has no array"), ("{}", "has no array"), (#"{"artifacts":{}}"#, "has no array"),
        (#"{"artifacts":[3]}"#, "no \"name\" in entry 0"), (#"{"artifacts":[{"name":"a"}]}"#, "\"bytes\""),
        (#"{"artifacts":[{"name":"a","bytes":-1}]}"#, "\"bytes\""),
        (#"{"artifacts":[{"name":"a","bytes":1.5}]}"#, "\"bytes\""),
        (#"{"artifacts":[{"name":"a","bytes":1},{"name":7,"bytes":1}]}"#, "no \"name\" in entry 1"),
        (#"{"artifacts":[{"name":"a","bytes":99999999999999999999}]}"#, "\"bytes\""),
        (#"{"artifacts":[{"name":"\ud800","bytes":1}]}"#, "not valid JSON"),
    ])
    func `a list that will not do is refused by name`(text: String, complaint: String) {
        #expect { try DriveArtifacts(Array(text.utf8)) } throws: { "\($0)".contains(complaint) }
    }

    @Test func `a list has a size`() {
        let huge = [UInt8](repeating: 0x20, count: DriveReport.documentLimitBytes + 1)
        #expect { try DriveArtifacts(huge) } throws: { "\($0)".contains("has 4194305 bytes, the limit is 4194304") }
    }
}
