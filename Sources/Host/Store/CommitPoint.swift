package import DomeCrypto
package import DomeModel

/// The places where a process may die between two writes, or a write may fail; tests visit each.
package enum CommitPoint: String, Sendable, CaseIterable {
    /// The transaction is open.
    case begun
    case jobInserted
    case requestInserted
    case intentAppended
    case jobUpdated
    case outcomeInserted
    case artifactInserted
    case outcomeAppended
    case marksWritten
    /// All is written, nothing is durable.
    case committing
    /// All is durable, nobody knows. An error returned here is ignored: it is too late.
    case committed
    /// The log is about to be copied into the database, and has been. Errors are ignored here, too.
    case checkpointing
    case checkpointed
    /// A checkpoint of the audit log is signed and not written yet; then it is committed; then it stands outside as well.
    case auditSigned
    case auditCheckpointed
    case auditAnchored
    /// A redaction: the job's part is erased, then the log's, then its event is written; then all of it is committed.
    case taskErased
    case payloadErased
    case redactionAppended
    case redacted
}

/// How to open a store.
package struct StoreOptions: Sendable {
    /// How long a write waits for another process that has the database locked (an operator's sqlite3).
    package var busyTimeoutMilliseconds: Int32 = 2_000
    /// A database up to this size is checked whole when it is opened; checking a larger one takes too long to
    /// do at every start, and `integrityReport` does it on demand.
    package var checkedBytesAtOpen: UInt64 = 256 << 20
    /// Signs the audit log's checkpoints; nil makes none.
    package var auditSigner: NoteSigner?
    /// Where the newest of them is kept outside of the database.
    package var auditAnchorPath: String?
    /// For tests: called on the store's thread at every point; what it returns is thrown there.
    package var fault: (@Sendable (CommitPoint) -> DomeError?)?

    package init() {}
}
