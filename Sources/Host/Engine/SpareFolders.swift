internal import DomeJournal
internal import DomeModel
internal import DomePlatform
internal import Synchronization

/// Job folders with an empty journal in them, made ahead. On ext4 a new folder and a new file take 0.2–0.7 ms
/// together [measured], a rename 0.01 ms; and the job that waits for them waits for nothing else by then.
/// From any thread.
package final class SpareFolders: Sendable {
    /// A folder that waits for its job.
    package struct Spare: Sendable {
        fileprivate let path: String
        /// The shard whose folder exists already; the job's id is made to fall into it.
        let shard: UInt16
    }

    private struct Pool {
        var spares: [Spare] = []
        var nextNumber: UInt64 = 0
        var taken = 0

        /// As many as were needed so far, within bounds: a daemon that has run three jobs keeps few.
        var wanted: Int { min(SpareFolders.fullCount, SpareFolders.firstCount + taken) }
    }

    /// Beside the jobs' folder, on the same file system.
    private let folder: String
    private let jobsPath: String
    private let pool = Mutex(Pool())

    private static let fullCount = 256
    private static let firstCount = 16
    /// With fewer than this they are made while jobs come, otherwise when none does.
    private static let lowCount = 12
    /// How many are made at a time: while jobs come a few, so that none waits long for the processor or the folder's lock.
    private static let busyBatchCount = 4
    private static let idleBatchCount = 16

    package init(folder: String, jobsPath: String) {
        self.folder = folder
        self.jobsPath = jobsPath
    }

    /// The next spare, if there is one.
    func take() -> Spare? {
        pool.withLock { pool in
            pool.taken += 1
            return pool.spares.popLast()
        }
    }

    /// Whether they are about to run out.
    var isLow: Bool { pool.withLock { $0.spares.count < Self.lowCount } }

    /// Whether there are as many as there should be.
    var isFull: Bool { pool.withLock { $0.spares.count >= $0.wanted } }

    /// Takes one back that was not used.
    func giveBack(_ spare: Spare) { pool.withLock { $0.spares.append(spare) } }

    /// Moves a spare to where the job's folder belongs.
    func move(_ spare: Spare, to path: String) throws(DomeError) {
        try Files.rename(spare.path, to: path)
    }

    /// Makes some spares: a few when jobs wait, more when nobody does. Blocks; one caller at a time.
    /// Without spares jobs are only slower, so a failure is logged and that is all.
    /// - Returns: whether it could.
    func refill(whileIdle isIdle: Bool) -> Bool { make(isIdle ? Self.idleBatchCount : Self.busyBatchCount) }

    @discardableResult
    private func make(_ count: Int) -> Bool {
        do throws(DomeError) {
            try Files.makeDirectories(folder)
            for _ in 0..<count {
                guard let number = nextNumber() else { return true }
                let path = "\(folder)/\(number)"
                try Files.makeDirectories(path)
                try Files.createEmpty(path + "/\(Journal.fileName)")
                try add(path)
            }
        } catch {
            Log.warning("spares.failed", ["error": error.description])
            return false
        }
        return true
    }

    private func nextNumber() -> UInt64? {
        pool.withLock { pool in
            guard pool.spares.count < pool.wanted else { return nil }
            pool.nextNumber += 1
            return pool.nextNumber
        }
    }

    private func add(_ path: String) throws(DomeError) {
        let shard = UInt16.random(in: 0..<JobID.shardCount)
        try Files.makeDirectories("\(jobsPath)/\(JobID.shardName(shard))")
        pool.withLock { $0.spares.append(Spare(path: path, shard: shard)) }
    }

    /// Takes over what an earlier life of the daemon left and sees that there are some to begin with; before any
    /// `refill`. Blocks.
    func renew() {
        do throws(DomeError) {
            for name in Files.exists(folder) ? try Files.list(folder) : [] {
                let path = "\(folder)/\(name)"
                guard let number = UInt64(name), number < 1 << 62, Self.isSpare(path) else {
                    try Files.removeTree(path)
                    continue
                }
                pool.withLock { $0.nextNumber = max($0.nextNumber, number) }
                try add(path)
            }
        } catch {
            Log.warning("spares.failed", ["error": error.description])
        }
        make(Self.firstCount)
    }

    /// Whether a folder with nothing but an empty journal lies there.
    private static func isSpare(_ path: String) -> Bool {
        guard Files.isDirectory(path), let names = try? Files.list(path) else { return false }
        return names == [Journal.fileName] && Files.isEmptyFile("\(path)/\(Journal.fileName)")
    }
}
