import DomeJournal
import DomeLink
import DomeModel
import DomePlatform
import Glibc

/// A real keeper process with a folder of its own, and the journals in it. Ended with everything when it goes.
final class KeeperFixture {
    let folder: String
    let socketPath: String
    let process: ProcessHandle
    private var hasEnded = false

    init(_ arguments: [String] = []) throws {
        var template = Array("/tmp/dome-keeper-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw DomeError.system("mkdtemp", errno) }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        socketPath = folder + "/k.sock"
        var program = Subprocess(
            try Self.keeperPath(),
            ["domed-keeper", "--socket", socketPath, "--jobs", folder + "/jobs", "--generation", "7"] + arguments)
        program.environment = ["PATH=/usr/bin:/bin"]
        program.isSessionLeader = true
        program.descriptors = [(try Files.open(folder + "/log", O_WRONLY | O_CREAT | O_APPEND), 2)]
        process = try ProcessHandle(try program.start())
    }

    deinit {
        process.send(signal: SIGKILL)
        do {
            try waitUntilEnded()
            try Files.removeTree(folder)
        } catch { print("cannot clean up \(folder): \(error)") }
    }

    private static func keeperPath() throws -> String {
        if let folder = getenv("DOME_BIN_DIR") { return String(cString: folder) + "/domed-keeper" }
        // The test runner lies beside the programs it tests.
        var folder = try Directories.ofExecutable()
        while folder != "/" {
            if Files.exists(folder + "/.build/debug/domed-keeper") { return folder + "/.build/debug/domed-keeper" }
            folder = String(folder[..<(folder.lastIndex(of: "/") ?? folder.startIndex)])
            if folder.isEmpty { folder = "/" }
        }
        var buffer = [CChar](repeating: 0, count: 4096)
        guard getcwd(&buffer, buffer.count) != nil else { throw DomeError.system("getcwd", errno) }
        return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            + "/.build/debug/domed-keeper"
    }

    func log() throws -> String {
        String(decoding: try Files.read(folder + "/log", limitBytes: 1 << 24), as: UTF8.self)
    }

    /// The most memory the keeper has held so far.
    func peakKilobytes() throws -> Int {
        let bytes = try Files.read("/proc/\(process.processID)/status", limitBytes: 1 << 16)
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") where line.hasPrefix("VmHWM:") {
            if let number = Int(line.split(separator: " ")[1]) { return number }
        }
        throw DomeError(.internal, "no VmHWM")
    }

    /// Stops the process where it waits for something to do; when this returns it does nothing more, until SIGCONT.
    func stop() throws {
        let path = "/proc/\(process.processID)/stat"
        while try !String(decoding: Files.read(path, limitBytes: 4096), as: UTF8.self).contains(") S ") { usleep(1000) }
        process.send(signal: SIGSTOP)
        var status: Int32 = 0
        guard waitpid(process.processID, &status, WUNTRACED) == process.processID, status & 0xff == 0x7f else {
            throw DomeError(.internal, "the keeper did not stop")
        }
    }

    /// Waits for the process's end and reaps it.
    func waitUntilEnded(milliseconds: Int32 = 10_000) throws {
        guard !hasEnded else { return }
        var poller = pollfd(fd: process.descriptor.number, events: Int16(POLLIN), revents: 0)
        guard poll(&poller, 1, milliseconds) > 0 else { throw DomeError(.timeout, "the keeper lives") }
        waitpid(process.processID, nil, 0)
        hasEnded = true
    }

    /// A plan that runs `script` in a shell.
    func plan(_ script: String) -> LaunchPlan {
        LaunchPlan(jobID: .make(), arguments: ["/bin/sh", "-c", script], environment: ["PATH=/usr/bin:/bin"])
    }

    /// Makes the job's journal with its first event, as domed does, and lets it go.
    func makeJournal(_ jobID: JobID) throws {
        let writer = try JournalWriter.create(path: journalPath(jobID), jobID)
        try writer.appendEvent(.stateChange, Array(#"{"to":"queued"}"#.utf8))
        writer.giveUp()
    }

    func journalPath(_ jobID: JobID) -> String { Journal.path(jobsPath: folder + "/jobs", jobID) }

    func events(_ jobID: JobID) throws -> [KeptEvent] {
        var events: [KeptEvent] = []
        let cursor = try JournalCursor(path: journalPath(jobID), jobID)
        _ = try cursor.next(after: 0, maxBytes: .max / 2) { events.append(KeptEvent($0)) }
        return events
    }

    func lines(_ jobID: JobID) throws -> [String] {
        try events(jobID).filter { $0.kind == .log }.map { String(decoding: $0.payload, as: UTF8.self) }
    }

    func summary(_ jobID: JobID) throws -> JournalSummary {
        try JournalSummary.scan(path: journalPath(jobID), jobID)
    }
}

/// An event, copied.
struct KeptEvent {
    var seq: UInt64
    var kind: EventKind
    var stream: OutputStream
    var isPartial: Bool
    var lineID: UInt64
    var payload: [UInt8]

    init(_ view: EventView) {
        (seq, kind, stream, isPartial, lineID) = (view.seq, view.kind, view.stream, view.isPartial, view.lineID)
        payload = [UInt8](view.payload)
    }

    var text: String { String(decoding: payload, as: UTF8.self) }
}
