import DomeAsync
import DomeModel
import DomePlatform
import DomeProto
import DomeTransport
import Glibc
import Synchronization
import Testing

@testable import DomeClient

/// Domed's place taken by a script, on a real socket and a thread of its own.
final class FakeDaemon: Sendable {
    typealias Events = @Sendable (_ call: Int, _ since: UInt64) -> (seqs: [UInt64], end: GRPCStatus)

    let path: String
    private let folder: String
    private let loop: EventLoop
    /// StreamJobEvents calls so far, and what each asked for.
    let sinces = Mutex<[UInt64]>([])
    let submissions = Mutex<Int>(0)

    /// - Parameters:
    ///   - events: which events the n-th stream sends for its `since_seq`, and how it ends.
    ///   - failingSubmissions: so many submissions end as if the connection broke.
    init(failingSubmissions: Int = 0, events: @escaping Events = { _, _ in ([], .ok) }) throws {
        var template = Array("/tmp/dome-fake-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw DomeError.system("create a folder", errno) }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        path = folder + "/domed.sock"
        loop = try EventLoop()
        let listener = try UnixSocket.listen(path: path, kind: .stream)
        var methods = MethodTable()
        methods.add(
            Domed_V1_DomedService.streamJobEvents.path,
            .serverStreaming { [weak self] call, message in
                guard let self, let request = try? Domed_V1_StreamJobEventsRequest.decode(message) else { return }
                let number = self.sinces.withLock {
                    $0.append(request.sinceSeq)
                    return $0.count
                }
                let script = events(number, request.sinceSeq)
                for seq in script.seqs { Self.send(seq, to: call) }
                call.finish(script.end)
            })
        methods.add(
            Domed_V1_DomedService.skillExecute.path,
            .unary { [weak self] call, _ in
                let count = self?.submissions.withLock {
                    $0 += 1
                    return $0
                }
                guard let count, count > failingSubmissions else {
                    return call.finish(GRPCStatus(.unavailable, "leaving"))
                }
                Self.send(
                    Domed_V1_SkillExecuteResponse.with {
                        $0.status = .with { $0.ok = true }
                        $0.jobId = "job-1"
                    }, to: call)
            })
        methods.add(
            Domed_V1_DomedService.getTool.path,
            .unary { call, _ in
                Self.send(
                    Domed_V1_GetToolResponse.with {
                        $0.status = .with {
                            $0.code = .eNotFound
                            $0.message = "tool not found: x"
                        }
                    }, to: call)
            })
        methods.add(
            Domed_V1_DomedService.getJobStatus.path,
            .unary { call, _ in
                Self.send(
                    Domed_V1_GetJobStatusResponse.with {
                        $0.status = .with { $0.ok = true }
                        $0.state = .succeeded
                    }, to: call)
            })
        methods.add(
            Domed_V1_DomedService.health.path,
            .unary { call, _ in
                [0xff, 0xff].withUnsafeBytes { call.send(message: $0) }
                call.finish()
            })
        let server = GRPCServer(loop: loop, methods: methods)
        try server.add(listener: listener) { _ in nil }
        let (loop, kept) = (loop, Kept(server: server, listener: listener))
        try startThread(named: "fake-domed") {
            loop.run()
            kept.server.close()
        }
    }

    private struct Kept: Sendable {
        let server: GRPCServer
        let listener: DomePlatform.FileDescriptor
    }

    private static func send(_ message: some ProtoMessage, to call: ServerCall) {
        message.serialized().withUnsafeBytes { call.send(message: $0) }
        call.finish()
    }

    private static func send(_ seq: UInt64, to call: ServerCall) {
        let isLast = seq == 9
        let event = Domed_V1_StreamJobEventsResponse.with {
            $0.seq = seq
            $0.ts = "2026-01-01T00:00:00Z"
            $0.eventType = isLast ? .stateChange : .log
            $0.payloadJson = isLast ? #"{"from":"running","to":"succeeded"}"# : #"{"stream":"stdout","line":"\#(seq)"}"#
        }
        event.serialized().withUnsafeBytes { call.send(message: $0) }
    }

    deinit {
        loop.stop()
        unlink(path)
        rmdir(folder)
    }

    func client() -> DaemonClient { DaemonClient(endpoint: .unix(paths: [path]), launcher: nil) }
}

@Suite struct `The client` {
    init() throws { try Core.startOwnThread() }

    @Core
    private func follow(_ daemon: FakeDaemon, since: UInt64 = 0, follow: Bool = true) async throws -> [UInt64] {
        let follower = JobFollower(daemon.client(), jobID: "job-1", follow: follow, sinceSeq: since)
        var seqs: [UInt64] = []
        while let events = try await follower.next() { seqs += events.map(\.seq) }
        return seqs
    }

    @Test func `follows a job across lost connections without a gap or a repeat`() async throws {
        let lost = GRPCStatus(.unavailable, "gone")
        let daemon = try FakeDaemon { call, since in
            switch call {
            case 1: ([1, 2, 3], lost)
            case 2: ([], lost)
            // One that repeats what was seen breaks the contract; the follower does not pass it on.
            case 3: ([3, 4, 5], GRPCStatus(.cancelled, "draining"))
            default: (Array((since + 1)...9), .ok)
            }
        }
        #expect(try await follow(daemon) == [1, 2, 3, 4, 5, 6, 7, 8, 9])
        #expect(daemon.sinces.withLock { $0 } == [0, 3, 3, 5])
    }

    @Test func `asks for the state when a followed stream ends without an end`() async throws {
        let daemon = try FakeDaemon { _, _ in ([], .ok) }
        #expect(try await follow(daemon, since: 100) == [])
        #expect(daemon.sinces.withLock { $0 } == [100])
    }

    @Test func `stops at the end of what there is unless it follows`() async throws {
        let daemon = try FakeDaemon { _, _ in ([1, 2], .ok) }
        #expect(try await follow(daemon, follow: false) == [1, 2])
        #expect(daemon.sinces.withLock { $0.count } == 1)
    }

    @Test func `gives up on an unknown job`() async throws {
        let daemon = try FakeDaemon { _, _ in ([], GRPCStatus(.notFound, "job not found: job-1")) }
        await #expect(throws: ClientError.refused(DomeError(.notFound, "job not found: job-1"))) {
            _ = try await follow(daemon)
        }
        #expect(daemon.sinces.withLock { $0.count } == 1)
    }

    @Test func `submits again when the connection breaks`() async throws {
        let daemon = try FakeDaemon(failingSubmissions: 2)
        let submission = Submission(toolID: "t", profile: "p", idempotencyKey: "k", taskJSON: "{}", constraintsJSON: "")
        #expect(try await daemon.client().submit(submission).jobID == "job-1")
        #expect(daemon.submissions.withLock { $0 } == 3)
    }

    @Test func `tells refusals, unknown calls and nonsense apart`() async throws {
        let daemon = try FakeDaemon()
        let client = daemon.client()
        await #expect(throws: ClientError.refused(DomeError(.notFound, "tool not found: x"))) {
            _ = try await client.tool("x")
        }
        do {
            _ = try await client.tools()
            Issue.record("an unknown call succeeded")
        } catch {
            guard case ClientError.unsupported = error else {
                Issue.record("\(error)")
                return
            }
        }
        do {
            _ = try await client.health()
            Issue.record("nonsense was understood")
        } catch {
            guard case ClientError.protocolBroken = error else {
                Issue.record("\(error)")
                return
            }
        }
    }

    @Test func `says that no daemon answers, and where it looked`() async throws {
        let client = DaemonClient(
            endpoint: .unix(paths: ["/nonexistent/a.sock", "/nonexistent/b.sock"]), launcher: nil)
        do {
            _ = try await client.status()
            Issue.record("nobody answered")
        } catch {
            guard case ClientError.unavailable(let text) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(text.contains("/nonexistent/a.sock") && text.contains("/nonexistent/b.sock"))
        }
    }
}

@Suite struct `An endpoint` {
    private let directories = try? Directories { ["HOME": "/home/x", "XDG_RUNTIME_DIR": "/tmp"][$0] }

    @Test func `is the socket in the runtime folder, then the one in the state folder, never TCP unasked`() throws {
        let directories = try #require(directories)
        let endpoint = try Endpoint.resolve(directories: directories) { _ in nil }
        #expect(endpoint == .unix(paths: ["/tmp/dome/domed.sock", "/home/x/.local/state/dome/run/domed.sock"]))
    }

    @Test(arguments: [
        ("unix:///a/b", Endpoint.unix(paths: ["/a/b"])), ("unix:/a/b", .unix(paths: ["/a/b"])),
        ("127.0.0.1:50051", .tcp(host: "127.0.0.1", port: "50051")), ("[::1]:7", .tcp(host: "::1", port: "7")),
        ("localhost:1", .tcp(host: "localhost", port: "1")),
    ]) func `is what DOMED_ENDPOINT says`(_ text: String, _ endpoint: Endpoint) throws {
        let directories = try #require(directories)
        #expect(try Endpoint.resolve(directories: directories) { $0 == "DOMED_ENDPOINT" ? text : nil } == endpoint)
    }

    @Test(arguments: ["unix://relative", "/a/b", "host", "host:", "host:0", "host:99999", "unix:"])
    func `that means nothing is refused`(_ text: String) {
        #expect(throws: DomeError.self) { try Endpoint(parsing: text) }
    }
}
