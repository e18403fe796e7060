import DomeModel
import DomePlatform
import Glibc
import Testing

@testable import DomeStore

@Suite struct `A disk without room` {
    @Test(.enabled(if: geteuid() == 0, "mounting needs root; the next test needs nothing"))
    func `a full file system: jobs are refused, reads go on, and so do writes once there is room`() async throws {
        let folder = try Folder()
        try #require(mount("tmpfs", folder.path, "tmpfs", 0, "size=8m") == 0)
        defer { umount2(folder.path, Int32(MNT_DETACH)) }
        // What is left fills before the log is copied; what is freed has room for the copy.
        try Files.writeAtomically(folder.path + "/ballast", [UInt8](repeating: 1, count: 4 << 20))
        let store = try Store(path: folder.database)
        let before = try await Crammer.fill(store)
        #expect(before > 0)
        try Files.removeTree(folder.path + "/ballast")
        try await Crammer.expectNormal(store, before)
        try await store.close()
        #expect(try await Store(path: folder.database).integrityReport().isEmpty)
    }

    /// The file size limit stands for quotas and the like: SQLite sees failed writes, not a full disk. In a process
    /// of its own, because the limit holds for all of it.
    @Test func `a write that the system refuses: the same`() async throws {
        let folder = try Folder()
        await #expect(processExitsWith: .success) { [path = folder.path as String] in
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 3 << 20, rlim_max: 1 << 30)
            try #require(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            let store = try Store(path: path + "/domed.sqlite")
            let before = try await Crammer.fill(store)
            try #require(before > 0)
            limit.rlim_cur = 1 << 30
            try #require(setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit) == 0)
            try await Crammer.expectNormal(store, before)
            try await store.close()
        }
        #expect(try await Store(path: folder.database).integrityReport().isEmpty)
    }

    @Test(.enabled(if: geteuid() == 0, "mounting needs root"))
    func `a read-only file system is refused at the start, retryably`() async throws {
        let folder = try Folder()
        try #require(mount("tmpfs", folder.path, "tmpfs", 0, "size=6m") == 0)
        defer { umount2(folder.path, Int32(MNT_DETACH)) }
        do {
            let store = try Store(path: folder.database)
            _ = try await store.admit(Sample.job(1))
            try await store.close()
        }
        let readOnly = UInt(MS_REMOUNT | MS_RDONLY)
        try #require(mount("tmpfs", folder.path, "tmpfs", readOnly, nil) == 0)
        let error = #expect(throws: DomeError.self) { try Store(path: folder.database) }
        #expect(error?.code == .resourceExhausted && error?.message.contains("writable") == true)
        let readWrite = UInt(MS_REMOUNT)
        try #require(mount("tmpfs", folder.path, "tmpfs", readWrite, nil) == 0)
        #expect(try await Store(path: folder.database).job(Sample.id(1)) != nil)
    }

    @Test func `a database that becomes read-only refuses and is read, and takes up again where it was`() async throws {
        let folder = try Folder()
        let store = try Store(path: folder.database, options: Audit.options(folder))
        for number in 0..<10 { _ = try await store.admit(Sample.job(number)) }
        try await store.checkpointAudit()
        try await store.makeReadOnly(true)
        let refusal = await #expect(throws: DomeError.self) { try await store.admit(Sample.job(10)) }
        #expect(refusal?.code == .resourceExhausted, "\(String(describing: refusal))")
        await #expect(throws: DomeError.self) { try await store.finish(Sample.end(0)) }
        await #expect(throws: DomeError.self) {
            try await store.redact(Sample.redaction(1))
        }
        #expect(store.auditProblems.first?.contains("cannot be written") == true)
        #expect(try await Audit.findings(folder).isEmpty)
        #expect(try await store.job(Sample.id(10)) == nil)
        #expect(try await store.job(Sample.id(0))?.state == .queued)
        try await store.makeReadOnly(false)
        _ = try await store.admit(Sample.job(10))
        for number in 0...10 { _ = try await store.finish(Sample.end(number)) }
        try await store.checkpointAudit()
        #expect(store.auditProblems.isEmpty)
        let rows = try await store.auditRows()
        #expect(rows.map(\.seq) == Array(1...22) && rows.filter { $0.kind == .outcome }.count == 11)
        #expect(try await Audit.findings(folder).isEmpty)
    }
}

/// Fills a store until it is refused, and sees that nothing else is.
enum Crammer {
    /// Returns how many jobs went in.
    static func fill(_ store: Store) async throws -> Int {
        for number in 0..<10_000 {
            var job = try Sample.job(number)
            job.taskJSON = String(repeating: "x", count: 30_000)
            do throws(DomeError) { _ = try await store.admit(job) } catch {
                #expect(error.code == .resourceExhausted && error.code.isRetryable, "\(error)")
                #expect(try await store.job(Sample.id(number)) == nil)
                #expect(try await store.job(Sample.id(0)) != nil)
                #expect(try await store.auditRows(limit: 10_000).count == number)
                return number
            }
        }
        Issue.record("it never filled")
        return 0
    }

    static func expectNormal(_ store: Store, _ count: Int) async throws {
        var job = try Sample.job(count)
        job.taskJSON = String(repeating: "x", count: 30_000)
        guard case .admitted = try await store.admit(job) else {
            Issue.record("the refused job had left its key behind")
            return
        }
        for number in 0...count { _ = try await store.finish(Sample.end(number)) }
        #expect(try await store.countsByState() == [.succeeded: count + 1])
        #expect(try await store.auditRows(limit: 100_000).count == 2 * (count + 1))
    }
}
