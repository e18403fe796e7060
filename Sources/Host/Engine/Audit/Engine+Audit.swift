package import DomeAsync
internal import DomeCrypto
package import DomeModel
internal import DomePlatform
internal import DomeStore

// The audit log as clients ask for it.
extension Engine {
    /// The daemon itself, as the one who does something.
    nonisolated static var ownCaller: Caller {
        Caller(userID: UInt32(Files.userID), processID: Files.processID)
    }

    /// An event of the daemon's own, of now.
    nonisolated static func ownEntry(
        _ kind: AuditKind, outcome: String? = nil, details: JSONObject = JSONObject()
    ) -> AuditEntry {
        AuditEntry(
            kind, timeNanoseconds: Clock.wallNanoseconds(), actor: ownCaller, outcome: outcome, details: details)
    }

    /// Lets go of the database, so that the store can tidy it up: before the daemon leaves.
    package func closeAudit() async { await auditReader.close() }

    /// Events after `position` (before it if `isDown`), the nearest first.
    package func auditEvents(
        _ query: AuditQuery, limit: Int, hasPayloads: Bool
    ) async throws(DomeError) -> AuditEventPage {
        let page = try await auditReader.leaves(
            query.filter, from: query.position, isDown: query.isNewestFirst, limit: limit)
        var events: [AuditEventReport] = []
        var byteCount = 0
        for row in page.rows {
            guard byteCount < Self.pageBytes else {
                return AuditEventPage(events: events, next: events.last?.seq, end: page.end)
            }
            var payload = hasPayloads ? try await auditReader.payload(of: row) : nil
            if let count = payload?.count, count > Self.longestPayload { payload = nil }
            byteCount += row.leaf.count + (payload?.count ?? 0)
            events.append(AuditEventReport(row, payload: payload))
        }
        return AuditEventPage(events: events, next: page.next, end: page.end)
    }

    /// A page ends with the event that makes it longer.
    private static let pageBytes = 1 << 20
    /// One that is longer is not handed out: with its event it would be longer than a message may be.
    private static let longestPayload = 12 << 20

    /// Calls `body`, on the core, whenever there are new events, until the observation is ended.
    package func observeAudit(_ body: @escaping @Core () -> Void) -> AuditObservation {
        auditObservers.add(body)
    }

    package func auditCounts(
        by word: String, since: Int64?, until: Int64?
    ) async throws(DomeError) -> [(key: String, count: Int)] {
        guard let grouping = AuditGrouping(rawValue: word) else {
            let known = AuditGrouping.allCases.map(\.rawValue).joined(separator: ", ")
            throw DomeError(.invalidRequest, "by: '\(word.prefix(64))' must be one of \(known)")
        }
        return try await auditReader.counts(by: grouping, since: since, until: until)
    }

    /// Begins a verification of everything; `advanceVerification` goes on with it.
    package func beginVerification(against checkpoints: [String]) async throws(DomeError) -> AuditCheck {
        var witnesses = AuditWitnesses(
            origin: keys.origin, verifiers: await keys.verifiers, anchorPath: directories.auditAnchorPath)
        for text in checkpoints { witnesses.checkpoints.append(try SignedNote(parsing: text)) }
        return AuditCheck(
            run: try await auditReader.beginVerification(witnesses, and: await store.anchorFindings()))
    }

    /// Some thousand events more.
    package func advanceVerification(_ check: AuditCheck) async throws(DomeError) -> AuditCheck {
        AuditCheck(run: try await auditReader.advanced(check.run))
    }

    /// The newest checkpoint as text; empty before the first one.
    package func newestCheckpoint() async throws(DomeError) -> String {
        try await auditReader.newestCheckpoint()?.rendered ?? ""
    }

    /// That event `seq` is in the log. Has a checkpoint made if none covers it yet.
    package func auditProof(of seq: UInt64) async throws(DomeError) -> String {
        let seq = Int64(clamping: seq)
        // E_NOT_FOUND before anything is signed.
        _ = try await auditReader.row(seq)
        do throws(DomeError) { return try await auditReader.proof(of: seq).rendered } catch {
            guard error.code != .notFound else { throw error }
            try await store.checkpointAudit()
        }
        return try await auditReader.proof(of: seq).rendered
    }

    /// Erases what event `seq` is about; answers the event that says so.
    package func redact(_ seq: UInt64, why: String, caller: Caller) async throws(DomeError) -> Int64 {
        guard !why.isEmpty, why.utf8.count <= 4_096 else {
            throw DomeError(
                .invalidRequest, "why: say why the event is redacted, in at most 4096 bytes; it is recorded")
        }
        return try await store.redact(
            AuditRedaction(
                event: Int64(clamping: seq), why: why, actor: caller, timeNanoseconds: Clock.wallNanoseconds()))
    }

    /// The public keys, the oldest first; the last one signs.
    package func publicKeys() async -> [PublicKeyReport] {
        let (verifiers, current) = (await keys.verifiers, await keys.signer.verifier)
        return verifiers.map { Self.report($0, isCurrent: $0 == current) }
    }

    private static func report(_ verifier: NoteVerifier, isCurrent: Bool) -> PublicKeyReport {
        PublicKeyReport(verifier: verifier.description, pem: verifier.key.pem, isCurrent: isCurrent)
    }

    /// Signs with a new key from now on. The log says so first: a key that is in use is in the log.
    package func rotateKey(caller: Caller) async throws(DomeError) -> PublicKeyReport {
        let before = await keys.signer.verifier
        try await store.checkpointAudit()
        let signer = try await keys.rotate()
        try await store.appendAudit(
            AuditEntry(
                .key, timeNanoseconds: Clock.wallNanoseconds(), actor: caller, outcome: "rotated",
                details: [
                    "verifier": .string(signer.verifier.description), "before": .string(before.description),
                ]))
        await store.setAuditSigner(signer)
        return Self.report(signer.verifier, isCurrent: true)
    }

    /// At the start: a key that the log does not know yet, and an anchor that does not fit.
    func recordAuditState() async throws(DomeError) {
        for finding in await store.anchorFindings() {
            Log.error("audit.anchor", ["what": finding.what, "message": finding.message])
            pendingAudit.add(
                Self.ownEntry(
                    AuditKind(rawValue: "anchor"), outcome: finding.what, details: ["message": .string(finding.message)]
                ))
        }
        var filter = AuditFilter()
        filter.kind = AuditKind.key.rawValue
        let known = try await auditReader.leaves(filter, from: nil, isDown: true, limit: 1).rows.first
        let verifier = await keys.signer.verifier.description
        if let known, String(decoding: known.leaf, as: UTF8.self).contains(verifier) { return }
        pendingAudit.add(Self.ownEntry(.key, outcome: "created", details: ["verifier": .string(verifier)]))
    }

    /// What is wrong with the audit log, a sentence each; empty is good.
    package var auditProblems: [String] {
        var problems = store.auditProblems
        if pendingAudit.count > 0 {
            problems.append("\(pendingAudit.count) events wait to be written to the audit log")
        }
        return problems
    }
}

/// Those who wait for new events. The store tells of each commit once, however many wait.
@Core
final class AuditObservers {
    private var bodies: [UInt64: @Core () -> Void] = [:]
    private var next: UInt64 = 0
    /// The store calls on its own thread; nobody is woken for nothing.
    private let store: Store

    nonisolated init(_ store: Store) { self.store = store }

    func add(_ body: @escaping @Core () -> Void) -> AuditObservation {
        if bodies.isEmpty {
            store.onAudit { _ in
                Core.loop.execute { Core.assumeIsolated { self.wake() } }
            }
        }
        next += 1
        bodies[next] = body
        return AuditObservation(observers: self, number: next)
    }

    fileprivate func remove(_ number: UInt64) {
        bodies[number] = nil
        if bodies.isEmpty { store.onAudit(nil) }
    }

    private func wake() { for body in bodies.values { body() } }
}

/// One who waits for new events.
@Core
package struct AuditObservation {
    fileprivate let observers: AuditObservers
    fileprivate let number: UInt64

    package func cancel() { observers.remove(number) }
}
