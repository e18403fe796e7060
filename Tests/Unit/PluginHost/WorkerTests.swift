import DomeLink
import DomeModel
import DomePlatform
import Glibc
import Testing

/// A running domed-worker and domed's end of its socket.
private final class Worker {
    let link: WorkerLink
    private let pid: Int32
    private var status: Int32?

    init(_ directory: String, stdout: FileDescriptor? = nil) throws {
        let (mine, theirs) = try UnixSocket.packetPair()
        var process = Subprocess(
            LocalProcessBuild.products + "/domed-worker", ["domed-worker", "--plugin", directory, "--fd", "3"])
        process.descriptors = [(theirs, 3)]
        if let stdout { process.descriptors += [(stdout, 1), (stdout, 2)] }
        pid = try process.start()
        link = WorkerLink(mine)
    }

    deinit {
        if status == nil { kill(pid, SIGKILL) }
        _ = try? wait()
    }

    /// The next message; nil when the worker has closed its end.
    func receive() throws -> WorkerMessage? {
        while true {
            switch try link.receive() {
            case .message(let message): return message
            case .closed: return nil
            case .wouldBlock:
                var watched = pollfd(fd: link.socket.number, events: Int16(POLLIN), revents: 0)
                try #require(poll(&watched, 1, 30_000) == 1, "the worker did not answer within 30 s")
            }
        }
    }

    func prepare(_ request: UInt64, _ job: String) throws {
        try #require(try link.send(.prepare(request: request, job: Array(job.utf8))))
    }

    /// The raw wait status, once it has ended.
    func wait() throws -> Int32 {
        if let status { return status }
        var raw: Int32 = 0
        while waitpid(pid, &raw, 0) < 0 { try #require(errno == EINTR) }
        status = raw
        return raw
    }

    /// Closes domed's sending side: the worker sees the end of its socket.
    func hangUp() { shutdown(link.socket.number, Int32(SHUT_WR)) }
}

struct WorkerTests {
    private let workshop: Workshop
    private let job = #"{"entrypoint":{"argv":["/bin/echo","${task.word}"]},"task":{"word":"hi"}}"#

    init() throws { workshop = try Workshop() }

    private func localProcess() throws -> Worker {
        let worker = try Worker(try LocalProcessBuild.directory())
        let hello = WorkerMessage.Hello(
            abiMajor: 1, abiMinor: 1, pluginID: "dome.local-process", pluginVersion: "0.1.0")
        #expect(try worker.receive() == .hello(hello))
        return worker
    }

    private func sample() throws -> Worker {
        _ = try workshop.plugin()
        let worker = try Worker(workshop.directory)
        guard case .hello = try worker.receive() else { throw DomeError(.internal, "no hello") }
        return worker
    }

    @Test func `it says hello, prepares in order, and leaves when domed hangs up`() throws {
        let worker = try localProcess()
        for request in UInt64(1)...3 { try worker.prepare(request, job) }
        for request in UInt64(1)...3 {
            guard case .plan(request, let document) = try #require(try worker.receive()) else {
                throw DomeError(.internal, "no plan for \(request)")
            }
            #expect(String(decoding: document, as: UTF8.self).hasPrefix(#"{"argv":["/bin/echo","hi"]"#))
        }
        worker.hangUp()
        #expect(try worker.receive() == nil)
        #expect(try worker.wait() == 0)
    }

    @Test func `a job that does not fit is an answer, and the worker goes on`() throws {
        let worker = try localProcess()
        try worker.prepare(7, "{}")
        guard case .failed(7, .invalidRequest, let message) = try #require(try worker.receive()) else {
            throw DomeError(.internal, "no failure")
        }
        #expect(message.contains("the job's member \"task\" is missing"))
        try worker.prepare(8, job)
        #expect(try worker.receive()?.request == 8)
    }

    @Test func `a script of a megabyte travels both ways`() throws {
        let worker = try localProcess()
        let script = String(repeating: "echo 0123456789 # ü\\n", count: 50_000)
        try worker.prepare(1, #"{"entrypoint":{"argv_from_task":true},"task":{"script":"\#(script)"}}"#)
        guard case .plan(1, let document) = try #require(try worker.receive()) else {
            throw DomeError(.internal, "no plan")
        }
        let plan = try JSONParser.parse(document, what: "plan")
        let text = plan.objectValue?["files"]?.arrayValue?.first?.objectValue?["text"]?.stringValue
        #expect(text?.utf8.count == 50_000 * 21)
    }

    @Test func `a plugin that cannot be loaded is named, and the worker ends`() throws {
        _ = try workshop.plugin(["MAGIC=1"])
        let worker = try Worker(workshop.directory)
        guard case .failed(0, .internal, let message) = try #require(try worker.receive()) else {
            throw DomeError(.internal, "no failure")
        }
        #expect(message.contains("dome_plugin_entry.magic is 0x1"))
        #expect(try worker.receive() == nil)
        #expect(try worker.wait() == 1 << 8)
    }

    @Test func `what a plugin prints goes to the log and not between the answers`() throws {
        _ = try workshop.plugin()
        let log = try Files.open(workshop.path("log"), O_RDWR | O_CREAT)
        let worker = try Worker(workshop.directory, stdout: log)
        guard case .hello = try worker.receive() else { throw DomeError(.internal, "no hello") }
        try worker.prepare(1, "prints")
        #expect(try worker.receive() == .plan(request: 1, document: Array(#"{"argv":["/bin/true"]}"#.utf8)))
        let printed = String(decoding: try Files.read(workshop.path("log"), limitBytes: 1 << 20), as: UTF8.self)
        #expect(printed.contains("stray output"))
    }

    @Test func `a plugin's crash is the end of its worker, with the signal to show for it`() throws {
        let worker = try sample()
        try worker.prepare(1, "crashes")
        guard case .crashed(let place) = try worker.receive() else { throw DomeError(.internal, "no report") }
        #expect(place.hasPrefix("SIGABRT in ") && place.contains("libsample.so"))
        #expect(try worker.receive() == nil)
        #expect(try worker.wait() & 0x7f == SIGABRT)
    }

    @Test func `a plugin at work learns that its request was canceled`() throws {
        let worker = try sample()
        try worker.prepare(1, "canceled")
        try worker.prepare(2, "{}")
        #expect(try worker.link.send(.cancel(request: 1)))
        guard case .failed(1, _, let message) = try #require(try worker.receive()) else {
            throw DomeError(.internal, "no failure")
        }
        #expect(message.hasSuffix("stopped"))
        #expect(try worker.receive() == .plan(request: 2, document: Array(#"{"argv":["/bin/true"]}"#.utf8)))
    }

    @Test func `a plugin at work learns that domed is gone`() throws {
        let worker = try sample()
        try worker.prepare(1, "canceled")
        worker.hangUp()
        // Its answer may still be read or not; what counts is that it ends.
        while try worker.receive() != nil {}
        #expect(try worker.wait() & 0x7f == 0)
    }

    @Test func `a datagram that is no message ends the worker`() throws {
        let worker = try sample()
        #expect(try [UInt8]([9, 9]).withUnsafeBytes { try worker.link.socket.send($0) })
        #expect(try worker.receive() == nil)
        #expect(try worker.wait() & 0x7f == 0)
    }

    @Test func `prepare takes microseconds`() throws {
        let worker = try localProcess()
        var nanoseconds: [Int64] = []
        for request in UInt64(1)...2_000 {
            let start = Clock.monotonicNanoseconds()
            try worker.prepare(request, job)
            #expect(try worker.receive()?.request == request)
            nanoseconds.append(Clock.monotonicNanoseconds() - start)
        }
        nanoseconds.sort()
        print("prepare round trip: p50 \(nanoseconds[1_000] / 1_000) µs, p99 \(nanoseconds[1_980] / 1_000) µs")
        // The target is 100 µs in a release build on a quiet machine; this bound catches only another order.
        #expect(nanoseconds[1_000] < 5_000_000)
    }
}
