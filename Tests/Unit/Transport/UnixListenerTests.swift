import DomeModel
import DomePlatform
import Glibc
import Testing

@testable import DomeTransport

/// A folder that goes with the test.
private final class Scratch {
    let path: String

    init() throws {
        var template = Array("/tmp/dome-listener-XXXXXX".utf8CString)
        path = try String(cString: #require(mkdtemp(&template)))
    }

    deinit { try? Files.removeTree(path) }
}

private func mode(_ path: String) -> UInt32 {
    var status = stat()
    return lstat(path, &status) == 0 ? status.st_mode & 0o777 : 0
}

private func failure(_ path: String) -> DomeError? {
    do throws(DomeError) {
        _ = try UnixListener.bind(path: path)
        return nil
    } catch {
        return error
    }
}

@Suite struct `Unix listener` {
    @Test func `folder and socket are made for the owner alone`() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/a/b/s.sock"
        let listener = try UnixListener.bind(path: path)
        #expect(mode(scratch.path + "/a/b") == 0o700)
        #expect(mode(path) == 0o600)
        withExtendedLifetime(listener) {}
    }

    @Test func `a living daemon's path is not taken`() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/s.sock"
        let first = try UnixListener.bind(path: path)
        let error = try #require(failure(path))
        #expect(error.code == .lockConflict)
        #expect(error.message.contains(path))
        // It still answers.
        _ = try UnixSocket.connect(path: path, kind: .stream)
        withExtendedLifetime(first) {}
    }

    @Test func `a socket that nobody answers on is replaced`() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/s.sock"
        do { _ = try UnixListener.bind(path: path) }
        #expect(Files.exists(path))
        let second = try UnixListener.bind(path: path)
        _ = try UnixSocket.connect(path: path, kind: .stream)
        withExtendedLifetime(second) {}
    }

    @Test func `any other file is left alone`() throws {
        let scratch = try Scratch()
        let path = scratch.path + "/s.sock"
        try Files.writeAtomically(path, [1, 2, 3])
        #expect(try #require(failure(path)).code == .policyDenied)
        #expect(try Files.read(path, limitBytes: 10) == [1, 2, 3])
        let target = scratch.path + "/target"
        let listener = try UnixListener.bind(path: target)
        let link = scratch.path + "/link"
        symlink(target, link)
        #expect(try #require(failure(link)).code == .policyDenied)
        withExtendedLifetime(listener) {}
    }

    @Test func `a folder that others may write to, or that is a link, is refused with the remedy`() throws {
        let scratch = try Scratch()
        let open = scratch.path + "/open"
        mkdir(open, 0o700)
        chmod(open, 0o770)
        #expect(try #require(failure(open + "/s.sock")).message.contains("chmod 700 " + open))
        let link = scratch.path + "/link"
        symlink(scratch.path, link)
        #expect(try #require(failure(link + "/s.sock")).message.contains("symbolic link"))
        try Files.writeAtomically(scratch.path + "/file", [])
        #expect(try #require(failure(scratch.path + "/file/s.sock")).code == .policyDenied)
    }

    @Test func `a path that is too long says by how much and what to do`() throws {
        let path = "/tmp/" + String(repeating: "x", count: 110)
        let error = try #require(failure(path))
        #expect(error.code == .invalidRequest)
        #expect(error.message.contains("115") && error.message.contains("107") && error.message.contains("--socket"))
        #expect(try #require(failure("relative/s.sock")).code == .invalidRequest)
    }

    @Test func `this process may connect to itself`() throws {
        let (near, far) = try World.streamPair()
        let peer = try UnixListener.admit(far)
        #expect(peer?.processID == getpid())
        withExtendedLifetime(near) {}
    }
}
