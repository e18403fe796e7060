package import DomeCrypto
internal import DomeModel

/// Something that does not hold.
package struct AuditFinding: Sendable, Equatable {
    /// The first leaf that it is about, from 1; 0 when it is about none.
    package var seq: Int64
    /// One word for programs: "changed", "missing", "moved", "columns", "node", "checkpoint", "signature", "origin",
    /// "anchor", "cut", "payload", "job", "provenance", "index".
    package var what: String
    package var message: String
}

/// What is verified against, beside what is in the database.
package struct AuditWitnesses: Sendable {
    /// The log's name, which its checkpoints must have.
    package var origin: String
    /// Keys whose checkpoints count.
    package var verifiers: [NoteVerifier]
    /// Where the newest checkpoint should lie outside of the database.
    package var anchorPath: String?
    /// Checkpoints that somebody kept elsewhere.
    package var checkpoints: [SignedNote] = []

    package init(origin: String, verifiers: [NoteVerifier], anchorPath: String?) {
        self.origin = origin
        self.verifiers = verifiers
        self.anchorPath = anchorPath
    }
}

/// A verification on its way: everything is computed anew from the leaves, some thousand at a time.
package struct AuditVerification: Sendable {
    /// Leaves at the time when it began.
    package let total: Int64
    package internal(set) var checked: Int64 = 0
    package internal(set) var checkpointsChecked = 0
    package internal(set) var findings: [AuditFinding] = []
    package internal(set) var isDone = false
    /// Of all leaves as they are now; when done.
    package internal(set) var root: Digest?

    let witnesses: AuditWitnesses
    var tree = MerkleFrontier()
    /// Of the leaves of the block that is being read.
    var block = MerkleFrontier()
    var leafCheck = LeafCheck()
    /// Roots that somebody has vouched for, by size, the smallest first; those in the database are read as needed.
    var claims: [Claim] = []
    var nextStored: Claim?
    /// Up to where a checkpoint has held.
    var goodSize: Int64 = 0
    /// The tree cannot be computed any more: a leaf is missing, or more than one claim failed already.
    var isTreeLost = false
    var hasFailedClaim = false
    /// What the log says of payloads that were erased, by the event that had them.
    var redactions: [Int64: Redaction] = [:]
    /// Events with a payload's code whose salt is gone.
    var unsalted: [Int64] = []
    /// What follows are the jobs: their tasks and provenance against the leaves.
    var hasReadLeaves = false
    var lastJob: Int64 = 0

    struct Claim: Sendable {
        var size: Int64
        var root: Digest
        var who: String
    }

    struct Redaction: Sendable {
        /// Of the job's provenance as it is since, in hexadecimal; nil where the event does not say.
        var provenance: String?
    }

    static let findingLimit = 100
    /// The first leaf first; what is about none of them comes last.
    mutating func sortFindings() {
        findings.sort { ($0.seq == 0 ? .max : $0.seq) < ($1.seq == 0 ? .max : $1.seq) }
    }

    /// What is about many leaves is left out when one of them was named already.
    mutating func add(_ range: ClosedRange<Int64>, _ what: String, _ message: String) {
        guard !findings.contains(where: { range.contains($0.seq) }) else { return }
        add(range.lowerBound, what, message)
    }

    mutating func add(_ seq: Int64, _ what: String, _ message: String) {
        guard findings.count < Self.findingLimit else { return }
        findings.append(AuditFinding(seq: seq, what: what, message: message))
    }
}
