import DomeCrypto
import DomeModel
import DomePlatform
import DomeStore
import Glibc
import Synchronization
import Testing

@testable import DomeEngine

/// A job's /job in a folder of the test's own, and a folder to collect to.
private final class Job {
    let root: String
    var out: String { root + "/job/out" }
    var target: String { root + "/artifacts" }
    var limits = ArtifactLimits(files: 1_000, bytes: 64 << 20)

    init(hasOut: Bool = true) throws {
        var template = "/tmp/dome-artifacts-XXXXXX".utf8CString.map { $0 }
        guard let made = mkdtemp(&template) else { throw DomeError.system("create a folder", errno) }
        root = String(cString: made)
        try Files.makeDirectories(root + (hasOut ? "/job/out" : "/job"))
    }

    deinit { do { try Files.removeTree(root) } catch { print("left behind: \(root): \(error)") } }

    func work() throws -> FileDescriptor { try Files.open(root + "/job", O_RDONLY | O_DIRECTORY) }

    func collect() throws -> ArtifactCollection { try ArtifactCollector.collect(work(), to: target, limits) }

    func write(_ name: String, _ text: String, mode: UInt32 = 0o600) throws {
        let file = try Files.open(out + "/" + name, O_WRONLY | O_CREAT | O_TRUNC)
        try Files.writeAll(file, Array(text.utf8), what: name)
        _ = fchmod(file.number, mode)
    }

    func kept(_ path: String) throws -> String {
        String(decoding: try Files.read(target + "/" + path, limitBytes: 1 << 20), as: UTF8.self)
    }
}

@Suite struct `Collecting artifacts` {
    @Test func `copies files with their digests, in order, for nobody else to read`() throws {
        let job = try Job()
        try Files.makeDirectories(job.out + "/b/c")
        try job.write("z", "last")
        try job.write("a", "", mode: 0o777)
        try job.write("b/c/deep", "deep")
        let collection = try job.collect()
        #expect(collection.artifacts.map(\.path) == ["a", "b/c/deep", "z"])
        #expect(collection.artifacts.map(\.byteCount) == [0, 4, 4])
        #expect(try collection.artifacts.map(\.sha256) == ["", "deep", "last"].map { try SHA256.digest($0) })
        #expect(collection.omissions.count == 0)
        #expect(try job.kept("b/c/deep") == "deep")
        for (path, mode) in [("", 0o700), ("/b", 0o700), ("/a", 0o400), ("/b/c/deep", 0o400)] as [(String, mode_t)] {
            var status = stat()
            #expect(lstat(job.target + path, &status) == 0)
            #expect(status.st_mode & 0o7777 == mode, "\(path)")
        }
    }

    @Test func `two spellings of one text are two folders`() throws {
        let job = try Job()
        for name in ["\u{e9}", "e\u{301}"] {
            try Files.makeDirectories(job.out + "/" + name)
            try job.write(name + "/x", name)
        }
        let collection = try job.collect()
        #expect(collection.omissions.count == 0)
        #expect(collection.artifacts.count == 2)
    }

    @Test func `costs nothing without an out folder`() throws {
        let job = try Job(hasOut: false)
        #expect(try !RawFolder.mayHave("out", in: job.work()))
        #expect(try job.collect() == ArtifactCollection())
        #expect(!Files.exists(job.target))
    }

    @Test func `follows no link`() throws {
        let job = try Job()
        #expect(symlink("/etc/passwd", job.out + "/file") == 0)
        #expect(symlink("/etc", job.out + "/folder") == 0)
        #expect(symlink("/proc/self/fd", job.out + "/magic") == 0)
        #expect(symlink("real", job.out + "/harmless") == 0)
        try job.write("real", "mine")
        let collection = try job.collect()
        #expect(collection.artifacts.map(\.path) == ["real"])
        #expect(collection.omissions.counts == [.link: 4])
        #expect(try Files.list(job.target) == ["real"])
    }

    @Test(arguments: ["/etc", "/etc/passwd", "nowhere"])
    func `does not follow out itself`(target: String) throws {
        let job = try Job(hasOut: false)
        #expect(symlink(target, job.out) == 0)
        #expect(try RawFolder.mayHave("out", in: job.work()))
        let collection = try job.collect()
        #expect(collection.artifacts.isEmpty)
        #expect(collection.omissions.counts == [.link: 1])
    }

    @Test func `out may be anything`() throws {
        let job = try Job(hasOut: false)
        #expect(mkfifo(job.out, 0o600) == 0)
        #expect(try job.collect().omissions.counts == [.special: 1])
    }

    @Test(.timeLimit(.minutes(1))) func `waits for no FIFO and opens no socket`() throws {
        let job = try Job()
        #expect(mkfifo(job.out + "/fifo", 0o600) == 0)
        let listener = try UnixSocket.listen(path: job.out + "/socket", kind: .stream)
        try job.write("file", "kept")
        let collection = try job.collect()
        #expect(collection.artifacts.map(\.path) == ["file"])
        #expect(collection.omissions.counts == [.special: 2])
        withExtendedLifetime(listener) {}
    }

    /// The second look, for a FIFO that takes a file's place between the two.
    @Test(.timeLimit(.minutes(1))) func `never blocks on opening what it took for a file`() throws {
        let job = try Job()
        #expect(mkfifo(job.out + "/fifo", 0o600) == 0)
        let folder = try RawFolder("out", in: job.work())
        #expect(throws: DomeError.self) { try folder.openFile(Array("fifo".utf8CString)) }
        #expect(symlink("/etc/passwd", job.out + "/link") == 0)
        #expect(throws: DomeError.self) { try folder.openFile(Array("link".utf8CString)) }
        #expect(throws: DomeError.self) { try folder.openFile(Array("../../job/out/fifo".utf8CString)) }
        #expect(throws: DomeError.self) { try RawFolder(Array("..".utf8CString), in: folder) }
    }

    @Test func `a file with holes counts in full`() throws {
        let job = try Job()
        try job.write("sparse", "")
        #expect(truncate(job.out + "/sparse", 10 << 30) == 0)
        try job.write("small", "kept")
        let collection = try job.collect()
        #expect(collection.artifacts.map(\.path) == ["small"])
        #expect(collection.omissions.counts == [.bytes: 1])
        #expect(try Files.list(job.target) == ["small"])
    }

    @Test func `the byte limit counts all files together, and hard links each`() throws {
        let job = try Job()
        job.limits.bytes = 10
        try job.write("a", "1234")
        #expect(link(job.out + "/a", job.out + "/b") == 0)
        #expect(link(job.out + "/a", job.out + "/c") == 0)
        try job.write("d", "56")
        let collection = try job.collect()
        #expect(collection.artifacts.map(\.path) == ["a", "b", "d"])
        #expect(collection.omissions.examples == [ArtifactOmissions.Example(path: "c", reason: .bytes)])
        // Copies of their own: what is done to one does not reach the other.
        #expect(!Files.isSameFile(job.target + "/a", job.target + "/b"))
    }

    @Test(.timeLimit(.minutes(5))) func `100000 files are a thousand, and a number`() throws {
        let job = try Job()
        for number in 0..<100_000 {
            let file = open("\(job.out)/\(number)", O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
            guard file >= 0 else { throw DomeError.system("create", errno) }
            close(file)
        }
        let collection = try job.collect()
        #expect(collection.artifacts.count == 1_000)
        #expect(collection.omissions.counts == [.files: 19_000, .names: 80_000])
        #expect(collection.omissions.examples.count == 16)
        #expect(try Files.list(job.target).count == 1_000)
    }

    @Test func `folders have a bound, also those with too long a path`() throws {
        let job = try Job()
        let deepest = (1...16).map { "d\($0)" }.joined(separator: "/")
        try Files.makeDirectories(job.out + "/" + deepest + "/beyond")
        try job.write(deepest + "/file", "kept")
        try job.write(deepest + "/beyond/file", "left")
        let long = String(repeating: "x", count: 200)
        try Files.makeDirectories(job.out + "/" + [long, long].joined(separator: "/"))
        try job.write([long, long, long].joined(separator: "/"), "left")
        let collection = try job.collect()
        #expect(collection.artifacts.map(\.path) == [deepest + "/file"])
        #expect(collection.omissions.counts == [.depth: 1, .name: 1])
        let payload = try #require(collection.omissions.payload(kept: 1, 4))
        #expect(payload.count < 4_096)
    }

    @Test func `names are bytes`() throws {
        let job = try Job()
        try job.write("line\nbreak", "1")
        let invalid: [CChar] = Array((job.out + "/").utf8).map { CChar(bitPattern: $0) } + [-1, -2, 0]
        let file = open(invalid, O_CREAT | O_WRONLY | O_CLOEXEC, 0o600)
        #expect(file >= 0)
        close(file)
        // Not of this many letters once they are escaped.
        try job.write(String(repeating: "\u{1}", count: 100), "left")
        let collection = try job.collect()
        #expect(collection.artifacts.map(\.path) == ["line%0Abreak", "%FF%FE"])
        #expect(collection.omissions.counts == [.name: 1])
        #expect(try job.kept("line%0Abreak") == "1")
    }

    @Test func `takes what its owner has forbidden himself`() throws {
        let job = try Job()
        try Files.makeDirectories(job.out + "/locked")
        try job.write("locked/inner", "1", mode: 0)
        try job.write("outer", "2", mode: 0)
        for path in ["/locked", ""] { #expect(chmod(job.out + path, 0) == 0) }
        #expect(chmod(job.root + "/job", 0) == 0)
        let work = try FileDescriptor(owning: Job.pathOnly(job.root + "/job"))
        let collection = try ArtifactCollector.collect(work, to: job.target, job.limits)
        #expect(collection.artifacts.map(\.path) == ["locked/inner", "outer"])
    }

    /// Only somebody outside the job could do this: nothing of it is alive.
    @Test(.timeLimit(.minutes(1))) func `a file that grows while it is read keeps the length it had`() throws {
        let job = try Job()
        job.limits.bytes = 1 << 40
        try job.write("growing", "")
        var hasGrownInTime = false
        for _ in 0..<20 where !hasGrownInTime {
            #expect(truncate(job.out + "/growing", 64 << 20) == 0)
            let (source, copy) = (job.out + "/growing", job.target + "/growing")
            try Files.removeTree(job.target)
            let (isOver, grew) = (Flag(), Flag())
            try startThread(named: "grower") {
                var status = stat()
                while stat(copy, &status) != 0 || status.st_size == 0, !isOver.isSet {}
                truncate(source, 65 << 20)
                if stat(copy, &status) == 0, status.st_size < 64 << 20 { grew.set() }
                grew.setDone()
            }
            defer { isOver.set() }
            let collection = try job.collect()
            isOver.set()
            while !grew.isDone { usleep(100) }
            hasGrownInTime = grew.isSet
            let artifact = try #require(collection.artifacts.first)
            let digest = try SHA256.digest(ofFileAt: copy)
            #expect(digest.digest == artifact.sha256)
            #expect(artifact.byteCount == 64 << 20 && digest.byteCount == 64 << 20)
        }
        #expect(hasGrownInTime, "copying was over too soon for this test")
    }

    /// Cut short while it is read, and written again.
    @Test(.timeLimit(.minutes(1))) func `a file that shrinks while it is read is what was copied of it`() throws {
        let job = try Job()
        try job.write("shrinking", String(repeating: "x", count: 4 << 20))
        let isOver = Flag()
        let path = job.out + "/shrinking"
        try startThread(named: "cutter") {
            while !isOver.isSet { for size in [1, 4 << 20] { truncate(path, off_t(size)) } }
            isOver.setDone()
        }
        defer {
            isOver.set()
            while !isOver.isDone { usleep(1_000) }
        }
        for _ in 0..<5 {
            let collection = try job.collect()
            let artifact = try #require(collection.artifacts.first)
            let copy = try SHA256.digest(ofFileAt: job.target + "/shrinking")
            #expect(copy.digest == artifact.sha256)
            #expect(copy.byteCount == artifact.byteCount)
        }
    }

    @Test func `what an earlier try left is replaced`() throws {
        let job = try Job()
        try job.write("a", "whole")
        try Files.makeDirectories(job.target + "/a/b")
        _ = try Files.open(job.target + "/stale", O_CREAT | O_WRONLY)
        let collection = try job.collect()
        #expect(collection.artifacts.map(\.path) == ["a"])
        #expect(try Files.list(job.target) == ["a"])
        #expect(try job.kept("a") == "whole")
        #expect(try job.collect() == collection)
    }

    @Test func `leaves the disk room for the job's end`() throws {
        let job = try Job()
        job.limits.spareDiskBytes = 1 << 62
        try job.write("a", "1")
        try job.write("b", "2")
        let collection = try job.collect()
        #expect(collection.artifacts.isEmpty)
        #expect(collection.omissions.counts == [.disk: 2])
    }
}

extension Job {
    /// As the keeper's descriptor is: one that opens nothing by itself.
    fileprivate static func pathOnly(_ path: String) throws -> Int32 {
        let number = open(path, 0o10000000 | O_CLOEXEC)
        guard number >= 0 else { throw DomeError.system("open \(path)", errno) }
        return number
    }
}

private final class Flag: Sendable {
    private let flag = Atomic<Bool>(false)
    private let done = Atomic<Bool>(false)
    var isSet: Bool { flag.load(ordering: .relaxed) }
    var isDone: Bool { done.load(ordering: .relaxed) }
    func set() { flag.store(true, ordering: .relaxed) }
    func setDone() { done.store(true, ordering: .relaxed) }
}
