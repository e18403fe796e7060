import DomeModel
import DomePlatform
import Glibc
import Testing

@Suite struct `Whole files` {
    let folder: Folder
    var path: String { folder.path + "/file" }

    init() throws { folder = try Folder() }

    @Test func `are read whole, up to the limit`() throws {
        try Files.writeAtomically(path, [1, 2, 3, 4])
        #expect(try Files.read(path, limitBytes: 4) == [1, 2, 3, 4])
        let large = #expect(throws: DomeError.self) { try Files.read(path, limitBytes: 3) }
        #expect(large?.code == .invalidRequest && large?.message.contains(path) == true)
        let missing = #expect(throws: DomeError.self) { try Files.read(path + "x", limitBytes: 3) }
        #expect(missing?.code == .notFound)
        try #require(mkfifo(folder.path + "/fifo", 0o600) == 0)
        #expect(try Files.read(folder.path + "/fifo", limitBytes: 9).isEmpty)
    }

    @Test func `are replaced in one step, and keep to their mode`() throws {
        try Files.writeAtomically(path, [1], mode: 0o640)
        var status = stat()
        try #require(stat(path, &status) == 0)
        #expect(status.st_mode & 0o777 == 0o640)
        let reader = try Files.open(path, O_RDONLY)
        try Files.writeAtomically(path, [2, 2])
        var byte: UInt8 = 0
        #expect(read(reader.number, &byte, 1) == 1 && byte == 1)
        #expect(try Files.read(path, limitBytes: 9) == [2, 2])
        #expect(try Files.list(folder.path) == ["file"])
    }

    @Test func `replaced by many threads at once, they are always whole`() throws {
        let path = path
        let failures = Counter()
        try onThreads(8) { number in
            for _ in 0..<50 {
                do throws(DomeError) {
                    try Files.writeAtomically(path, [UInt8](repeating: UInt8(number), count: 10_000))
                    let bytes = try Files.read(path, limitBytes: 10_000)
                    if bytes.count != 10_000 || Set(bytes).count != 1 { failures.increment() }
                } catch { failures.increment() }
            }
        }
        #expect(failures.value == 0)
        #expect(try Files.list(folder.path) == ["file"])
    }

    @Test func `that cannot be replaced leave nothing behind`() throws {
        try Files.makeDirectories(path)
        #expect(throws: DomeError.self) { try Files.writeAtomically(path, [1]) }
        #expect(try Files.list(folder.path) == ["file"])
    }

    @Test func `folders are made with their parents, for their owner`() throws {
        let deep = folder.path + "/a/b/c"
        try Files.makeDirectories(deep)
        try Files.makeDirectories(deep)
        var status = stat()
        try #require(stat(folder.path + "/a", &status) == 0)
        #expect(status.st_mode & 0o777 == 0o700)
        try Files.writeAtomically(path, [])
        #expect(throws: DomeError.self) { try Files.makeDirectories(path) }
        #expect(throws: DomeError.self) { try Files.makeDirectories(path + "/below") }
        #expect(Files.isSameFile(deep, deep + "/../c") && !Files.isSameFile(deep, path))
    }
}

@Suite struct `Removing a tree` {
    let folder: Folder
    var tree: String { folder.path + "/tree" }

    init() throws { folder = try Folder() }

    private func fill(_ path: String, depth: Int) throws {
        try Files.makeDirectories(path)
        for number in 0..<3 { try Files.writeAtomically(path + "/f\(number)", [1]) }
        guard depth > 0 else { return }
        for number in 0..<3 { try fill(path + "/d\(number)", depth: depth - 1) }
    }

    @Test func `takes all of it, and what is not there is no error`() throws {
        try fill(tree, depth: 4)
        try Files.removeTree(tree)
        try Files.removeTree(tree)
        #expect(try Files.list(folder.path).isEmpty)
        try Files.writeAtomically(tree, [])
        try Files.removeTree(tree)
        #expect(!Files.exists(tree))
    }

    @Test func `does not follow links out of it`() throws {
        let outside = folder.path + "/outside"
        try fill(outside, depth: 1)
        try Files.makeDirectories(tree)
        try #require(symlink(outside, tree + "/link") == 0)
        try #require(symlink(outside + "/f1", tree + "/file") == 0)
        try #require(symlink(outside, folder.path + "/top") == 0)
        try Files.removeTree(tree)
        try Files.removeTree(folder.path + "/top")
        #expect(try Files.list(folder.path) == ["outside"])
        #expect(try Files.list(outside).count == 6)
    }

    @Test func `manages names that are no text`() throws {
        try Files.makeDirectories(tree)
        let top = try Files.open(tree, O_RDONLY)
        for name in [[0xff, 0xfe], [0x2e, 0xc3, 0x28], [0x0a], [0x5c]] as [[CChar.Magnitude]] {
            let name = name.map { CChar(bitPattern: $0) } + [0]
            try #require(mkdirat(top.number, name, 0o700) == 0)
            try #require(symlinkat("x", top.number, name.dropLast() + [65, 0]) == 0)
        }
        try Files.removeTree(tree)
        #expect(!Files.exists(tree))
    }

    @Test func `manages a tree deeper than any path may be long`() throws {
        try Files.makeDirectories(tree)
        var current = try Files.open(tree, O_RDONLY)
        let name = String(repeating: "d", count: 200)
        for _ in 0..<3_000 {
            try #require(mkdirat(current.number, name, 0o700) == 0)
            let number = openat(current.number, name)
            try #require(number >= 0)
            current = FileDescriptor(owning: number)
        }
        try Files.removeTree(tree)
        #expect(!Files.exists(tree))
    }

    private func openat(_ folder: Int32, _ name: String) -> Int32 {
        name.withCString { Glibc.open("/proc/self/fd/\(folder)/" + String(cString: $0), O_RDONLY | O_CLOEXEC) }
    }

    @Test func `manages names made to be in its way`() throws {
        try Files.makeDirectories(tree + "/a/b/c/d")
        for number in 0..<4 { try Files.makeDirectories(tree + "/.removed-\(number)/full/x") }
        try Files.writeAtomically(tree + "/.removed-4", [])
        try Files.removeTree(tree)
        #expect(!Files.exists(tree))
    }

    /// As a user who is not root: root may look into anything.
    @Test(.enabled(if: geteuid() == 0, "changes its user"))
    func `manages folders that forbid their owner to look inside`() async throws {
        try Files.makeDirectories(tree)
        for path in [folder.path, tree] { try #require(chown(path, 65_534, 65_534) == 0) }
        await #expect(processExitsWith: .success) { [tree = tree as String] in
            try #require(setgid(65_534) == 0 && setuid(65_534) == 0)
            try Files.makeDirectories(tree + "/a/b/c")
            try Files.writeAtomically(tree + "/a/b/file", [1])
            for path in ["/a/b/c", "/a/b", "/a", ""] { try #require(chmod(tree + path, 0) == 0) }
            try Files.removeTree(tree)
        }
        #expect(!Files.exists(tree))
    }
}
