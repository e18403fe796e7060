import DomeAsync
import DomeModel
import DomePlatform
import DomeStore
import Glibc
import Synchronization
import Testing

@testable import DomeEngine

/// What happens to events of things that have happened already while the log cannot be written.
@Suite struct PendingAuditTests {
    private final class Disk: Sendable {
        let isFull = Mutex(true)
        let folder: String

        init() throws {
            var template = Array("/tmp/dome-pending-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { throw DomeError.system("create a folder", errno) }
            folder = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
        }

        deinit { do { try Files.removeTree(folder) } catch { print("left behind: \(folder): \(error)") } }

        func store() throws -> Store {
            var options = StoreOptions()
            options.fault = { point in
                guard point == .committing, self.isFull.withLock({ $0 }) else { return nil }
                return DomeError(.resourceExhausted, "the disk is full")
            }
            return try Store(path: folder + "/domed.sqlite", options: options)
        }
    }

    private func entry(_ number: Int) -> AuditEntry {
        AuditEntry(
            .denied, timeNanoseconds: Int64(number) * 1_000, actor: Caller(userID: 1, processID: 1),
            toolID: "t.\(number)")
    }

    @Test func `they wait in order, with a thousand of them nothing more is taken, and all come when there is room`()
        async throws
    {
        try Core.startOwnThread()
        let disk = try Disk()
        let store = try disk.store()
        let last = try await wait(PendingAudit(store), disk)
        try await store.close()
        let executor = try LoopExecutor.onNewThread(named: "test-audit")
        let reader = AuditReader(path: disk.folder + "/domed.sqlite", executor: executor)
        let rows = try await reader.leaves(AuditFilter(), from: 0, isDown: false, limit: 2_000).rows
        await reader.close()
        #expect(rows.map(\.toolID) == (0...last).map { "t.\($0)" })
    }

    /// Answers the number of the last entry.
    @Core private func wait(_ pending: PendingAudit, _ disk: Disk) async throws -> Int {
        // Returns though it could not be written: a refusal is answered.
        await pending.record(entry(0))
        for number in 1..<(PendingAudit.limit - 1) { pending.add(entry(number)) }
        try pending.check()
        pending.add(entry(PendingAudit.limit - 1))
        let error = #expect(throws: DomeError.self) { try pending.check() }
        #expect(error?.code == .resourceExhausted && error?.message.contains("1000 events wait") == true)
        disk.isFull.withLock { $0 = false }
        // Behind all of them.
        await pending.record(entry(PendingAudit.limit))
        while pending.count > 0 { await Core.sleep(milliseconds: 5) }
        try pending.check()
        return PendingAudit.limit
    }
}
