// Unit tests of the rooms Jail and CJail, with the real kernel: a driver program (Tests/Support/jail-driver) runs
// one job each time, as root (if the tests are) and as an ordinary user.
import Glibc
import Testing

/// Both suites in one, one test after another: pipes made by one must not be inherited by a program of another.
@Suite(.serialized) enum JailTests {}

/// Who runs the inner server.
enum Runner: String, CaseIterable, CustomTestStringConvertible {
    case root, user

    var testDescription: String { rawValue }

    /// The tests' own user is the ordinary one unless it is root.
    static var available: [Runner] { geteuid() == 0 ? [.root, .user] : [.user] }

    /// Neither a real user nor what root's jobs become.
    var uid: UInt32 { self == .root ? 0 : geteuid() == 0 ? 54321 : geteuid() }
    /// What the job sees itself as.
    var jobUID: UInt32 { self == .root ? 65534 : uid }

    var prefix: [String] {
        guard self == .user, geteuid() == 0 else { return [] }
        return ["/usr/bin/setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups"]
    }
}

/// What a run of the driver printed.
struct Seen {
    var lines: [String]

    /// The rest of the first line that begins with `key`.
    subscript(_ key: String) -> String? {
        lines.first { $0.hasPrefix(key + " ") }.map { String($0.dropFirst(key.count + 1)) }
    }

    var output: String { self["output"] ?? "" }
    var exit: String? { self["exited"] }
}

enum Driver {
    /// A copy that every user may execute.
    static let path: String = {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let size = readlink("/proc/self/exe", &buffer, buffer.count)
        let own = String(decoding: buffer.prefix(max(size, 0)), as: UTF8.self)
        let folder = own.split(separator: "/").dropLast().joined(separator: "/")
        let copy = Scratch.make(mode: 0o755) + "/jail-driver"
        _ = run(["/bin/cp", "/\(folder)/jail-driver", copy])
        chmod(copy, 0o755)
        return copy
    }()

    static func seen(_ runner: Runner, _ options: [String], _ command: [String]) -> Seen {
        Seen(lines: run(runner.prefix + [path] + options + ["--"] + command).split(separator: "\n").map(String.init))
    }

    /// A shell script as the job.
    static func shell(_ runner: Runner, _ options: [String], _ script: String) -> Seen {
        seen(runner, options, ["/bin/sh", "-c", script])
    }

    static func shell(_ runner: Runner, _ script: String) -> Seen { shell(runner, [], script) }

    /// Close-on-exec, so that no other program of the tests holds an end.
    static func makePipe() -> (reading: Int32, writing: Int32) {
        var ends: [Int32] = [-1, -1]
        pipe(&ends)
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        return (ends[0], ends[1])
    }

    static func start(_ arguments: [String], _ actions: (inout posix_spawn_file_actions_t) -> Void) -> pid_t {
        var file = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&file)
        defer { posix_spawn_file_actions_destroy(&file) }
        actions(&file)
        var vector: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
        defer { vector.forEach { free($0) } }
        var pid: pid_t = 0
        let status = posix_spawn(&pid, arguments[0], &file, nil, &vector, environ)
        return status == 0 ? pid : -1
    }

    private static func run(_ arguments: [String]) -> String {
        let (reading, writing) = makePipe()
        let pid = start(arguments) { posix_spawn_file_actions_adddup2(&$0, writing, 1) }
        close(writing)
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(reading, &chunk, chunk.count)
            if count <= 0 { break }
            bytes += chunk[..<count]
        }
        close(reading)
        var status: Int32 = 0
        waitpid(pid, &status, 0)
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Folders of the tests, removed when they end.
enum Scratch {
    private static let base: String = {
        var template = Array("/tmp/dome-jail-XXXXXX".utf8CString)
        mkdtemp(&template)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        // Everybody may pass through, nobody else sees what there is.
        chmod(path, 0o711)
        atexit { waitpid(Driver.start(["/bin/rm", "-rf", Scratch.base]) { _ in }, nil, 0) }
        return path
    }()

    static func make(mode: UInt32 = 0o700, owner: UInt32? = nil) -> String {
        var template = Array((base + "/XXXXXX").utf8CString)
        mkdtemp(&template)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        chmod(path, mode)
        if let owner, geteuid() == 0 { chown(path, owner, owner) }
        return path
    }

    static func write(_ path: String, _ text: String, owner: UInt32) {
        let file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        _ = Array(text.utf8).withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
        close(file)
        if geteuid() == 0 { chown(path, owner, owner) }
    }

    static func owner(_ path: String) -> UInt32? {
        var status = stat()
        return lstat(path, &status) == 0 ? status.st_uid : nil
    }
}
