import DomeAsync
import DomeLink
import DomeModel
import DomePlatform
import Glibc
import Testing

@testable import DomeEngine

/// A keeper's socket, and what a test has it answer.
@Core
private final class FakeKeeper {
    private let listener: FileDescriptor
    private var listening: EventLoop.Registration?
    private var channels: [PacketChannel] = []
    /// Connections that came so far.
    private(set) var callCount = 0

    /// - Parameter hangUpCount: how many connections it ends instead of answering.
    init(_ path: String, hangUpCount: Int) throws {
        listener = try UnixSocket.listen(path: path, kind: .packet)
        listening = try Core.loop.register(listener, interest: .readable) { [weak self] _ in
            Core.assumeIsolated { self?.accept(hangUpCount) }
        }
    }

    private func accept(_ hangUpCount: Int) {
        do {
            while let socket = try UnixSocket.accept(listener) {
                callCount += 1
                if callCount > hangUpCount { try answer(socket) }
            }
        } catch { Issue.record(error) }
    }

    private func answer(_ socket: FileDescriptor) throws {
        let channel = try PacketChannel(socket, on: Core.loop, onMessage: { _, _ in }, onClosed: { _ in })
        channel.send(.hello(KeeperHello(version: 1, generation: 1, processID: getpid(), isRetired: true)))
        channel.send(.listEnd)
        channels.append(channel)
    }

    func close() { listening?.cancel() }
}

/// The keepers that a daemon finds when it starts.
@Suite(.serialized) struct KeeperPoolTests {
    /// - Parameter startTicks: of the inner server that the last daemon has written down.
    @Core
    private static func withKeeper(
        hangUpCount: Int, startTicks: UInt64, _ body: @Core (KeeperPool, FakeKeeper) async throws -> Void
    ) async throws {
        var template = Array("/tmp/dome-pool-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw DomeError.system("mkdtemp", errno) }
        let folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        let record = #"{"inner_servers":[{"pid":\#(getpid()),"start_ticks":\#(startTicks)}]}"#
        try Files.writeAtomically(folder + "/1.sock.json", Array(record.utf8))
        let keeper = try FakeKeeper(folder + "/1.sock", hangUpCount: hangUpCount)
        let starter = KeeperStarter(program: "/bin/false", jobsPath: folder, extraArguments: [])
        let pool = KeeperPool(folder: folder, starter: starter)
        // Not waited for: a test of this that fails shall end.
        Core.task { do { try await pool.adopt() } catch { Issue.record(error) } }
        try await body(pool, keeper)
        keeper.close()
        try Files.removeTree(folder)
    }

    @Test func `a keeper that hangs up, and lives, is called again until it says what it holds`() async throws {
        try Core.startOwnThread()
        let ticks = try #require(ProcessHandle.startTicks(of: getpid()))
        try await Self.withKeeper(hangUpCount: 3, startTicks: ticks) { pool, keeper in
            #expect(await pool.allHeard.wait(milliseconds: 20_000) == true)
            #expect(keeper.callCount == 4)
            #expect(pool.connections.map(\.isOpen) == [true])
            #expect(pool.problem == nil)
        }
    }

    @Test func `a keeper of which nothing is left is given up`() async throws {
        try Core.startOwnThread()
        try await Self.withKeeper(hangUpCount: .max, startTicks: 1) { pool, keeper in
            #expect(await pool.allHeard.wait(milliseconds: 20_000) == true)
            #expect(keeper.callCount == 1)
            #expect(pool.connections.isEmpty)
        }
    }
}
