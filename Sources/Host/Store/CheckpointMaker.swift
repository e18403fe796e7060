internal import DomeCrypto
internal import DomeModel
internal import DomePlatform
internal import Synchronization

/// Puts what was appended to the audit log into its tree, and signs where it stands: every 256 leaves, and a second after
/// the last one. Never on a job's way: between transactions of the store's thread. What it writes can be made again from
/// the leaves, so its transactions are not waited for until they are on the disk.
final class CheckpointMaker: @unchecked Sendable {
    // @unchecked: used on the store's thread alone, but for `trouble`, which has a lock, and `onAppended`, set before.
    private let database: Database
    private let loop: EventLoop
    private let anchor: AuditAnchor?
    private var tree: AuditTree?
    /// What the anchor said of the database when it was opened and that does not fit.
    private(set) var startFindings: [AuditFinding] = []
    private var signer: NoteSigner?
    private var isTimerSet = false
    private var isScheduled = false
    private var lastAppended: Int64 = 0
    private var lastAppendNanoseconds: Int64 = 0
    private let state = Mutex(State())

    private struct State {
        var trouble: String?
        var onAppended: (@Sendable (Int64) -> Void)?
        var lag = AuditLag()
    }

    private static let idleMilliseconds: UInt64 = 1_000
    /// Blocks that are indexed in one transaction; others wait meanwhile.
    private static let blocksAtOnce = 4
    /// Of the write-ahead log, at which it is copied into the database while blocks are being caught up with.
    private static let checkpointPages = 4_000

    init(_ database: Database, loop: EventLoop, _ options: StoreOptions) {
        self.database = database
        self.loop = loop
        signer = options.auditSigner
        anchor = options.auditAnchorPath.map { AuditAnchor(path: $0) }
        do throws(DomeError) {
            let tree = try AuditTree(database)
            startFindings = try anchor?.compare(tree) ?? []
            self.tree = tree
            lastAppended = try database.lastAuditSeq()
            state.withLock { state in
                state.lag.signed(tree.checkpointedSize)
                state.lag.appended(lastAppended, atNanoseconds: Clock.monotonicNanoseconds())
            }
        } catch {
            note(error)
        }
        if signer != nil { loop.execute { self.run() } }
    }

    /// Why there are no checkpoints, or no anchor; from any thread.
    var trouble: String? { state.withLock { $0.trouble } }

    /// How far the signed tree is behind the leaves; from any thread.
    var lag: AuditLag { state.withLock { $0.lag } }

    /// Called on the store's thread with the last leaf's number when there are new ones.
    func setOnAppended(_ body: (@Sendable (Int64) -> Void)?) { state.withLock { $0.onAppended = body } }

    /// After every commit.
    func noteCommit() {
        guard database.appended > lastAppended else { return }
        lastAppended = database.appended
        lastAppendNanoseconds = Clock.monotonicNanoseconds()
        let onAppended = state.withLock { state in
            state.lag.appended(lastAppended, atNanoseconds: lastAppendNanoseconds)
            return state.onAppended
        }
        onAppended?(lastAppended)
        guard signer != nil, let tree else { return }
        if lastAppended - tree.checkpointedSize >= AuditTree.blockSize, !isScheduled {
            isScheduled = true
            loop.execute {
                self.isScheduled = false
                self.run()
            }
        } else if !isTimerSet {
            waitForIdle(milliseconds: Self.idleMilliseconds)
        }
    }

    private func waitForIdle(milliseconds: UInt64) {
        isTimerSet = true
        _ = loop.schedule(afterMilliseconds: milliseconds) { [self] in
            isTimerSet = false
            guard database.connection.isOpen, let tree, tree.checkpointedSize < lastAppended else { return }
            let restNanoseconds =
                lastAppendNanoseconds + Int64(Self.idleMilliseconds) * 1_000_000 - Clock.monotonicNanoseconds()
            if restNanoseconds > 0 {
                waitForIdle(milliseconds: UInt64(restNanoseconds / 1_000_000) + 1)
            } else {
                run()
            }
        }
    }

    /// A checkpoint now, if there is anything new; what fails is told by `trouble` and tried again. With many blocks to be
    /// put into the tree (a log of an older dome), others get their turn in between.
    private func run() {
        guard database.connection.isOpen else { return }
        do throws(DomeError) {
            if try makeSome() == nil { loop.execute { self.run() } }
        } catch {
            note(error)
            if !isTimerSet { waitForIdle(milliseconds: Self.idleMilliseconds) }
        }
    }

    private func note(_ error: DomeError) {
        let isNew = state.withLock { state in
            defer { state.trouble = error.message }
            return state.trouble != error.message
        }
        if isNew { Log.error("audit.checkpoint_failed", ["error": error.description]) }
    }

    /// The checkpoint over everything that is in the log now. E_INTERNAL when there is no key or no tree.
    func make() throws(DomeError) -> SignedNote {
        while true { if let note = try makeSome() { return note } }
    }

    /// Nil when there is more to do before.
    private func makeSome() throws(DomeError) -> SignedNote? {
        guard let signer else { throw DomeError(.internal, "the audit log has no key to sign checkpoints with") }
        if tree == nil { tree = try AuditTree(database) }
        guard let tree else { throw DomeError(.internal, "the audit log has no tree") }
        if let pending = try tree.newestNote(), tree.checkpointedSize == (try database.lastAuditSeq()) {
            return pending
        }
        try setSync("NORMAL")
        let made: SignedNote?
        do throws(DomeError) {
            made = try advance(tree, signer)
        } catch {
            try setSync("FULL")
            throw error
        }
        try setSync("FULL")
        database.pass(.auditCheckpointed)
        if let made { anchor?.tell(made) }
        state.withLock { state in
            state.trouble = nil
            state.lag.signed(tree.checkpointedSize)
        }
        if made == nil, database.connection.uncopiedPages > Self.checkpointPages {
            try database.connection.checkpoint()
        }
        return made
    }

    private func setSync(_ mode: String) throws(DomeError) {
        try database.connection.execute("PRAGMA synchronous = \(mode)", what: "write a checkpoint")
    }

    /// One transaction of a few blocks; the last one has the checkpoint.
    private func advance(_ tree: AuditTree, _ signer: NoteSigner) throws(DomeError) -> SignedNote? {
        var note: SignedNote?
        try database.transaction(what: "write a checkpoint") { () throws(DomeError) in
            let size = try database.lastAuditSeq()
            var count = 0
            while tree.indexedSize + AuditTree.blockSize <= size, count < Self.blocksAtOnce {
                try tree.addBlock()
                count += 1
            }
            guard tree.indexedSize + AuditTree.blockSize > size else { return }
            try tree.hashTail()
            let signed = try tree.addCheckpoint(size: size, signer)
            try database.reach(.auditSigned)
            // Before the commit: what it says is true already, and an anchor that lacks what the database has means
            // that somebody took it away.
            try anchor?.write(signed)
            try database.reach(.auditAnchored)
            note = signed
        } onFailure: { () throws(DomeError) in
            try tree.load()
        }
        return note
    }

    /// Signs with another key from now on.
    func setSigner(_ signer: NoteSigner) { self.signer = signer }

    /// Before the store is closed: all that is there is signed, and known outside.
    func settle() {
        guard signer != nil else { return }
        do throws(DomeError) { _ = try make() } catch { note(error) }
        anchor?.settle()
    }
}
