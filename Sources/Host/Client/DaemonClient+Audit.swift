internal import DomeAsync
internal import DomeModel
internal import DomeProto
internal import DomeWire

// The audit log and what is signed. A domain error of the daemon is thrown as `.refused`.
extension DaemonClient {
    package func auditEvents(_ filter: AuditFilter) async throws(ClientError) -> ResponseStream<AuditEvent> {
        ResponseStream(
            try await usableConnection(), metadata, Domed_V1_DomedService.queryAudit,
            .with { request in
                request.kind = filter.kind
                request.toolId = filter.toolID
                request.actorUid = filter.actorUserID
                request.outcome = filter.outcome
                request.jobId = filter.jobID
                request.since = filter.since
                request.until = filter.until
                request.afterCursor = filter.afterCursor
                request.newestFirst = filter.isNewestFirst
                request.limit = filter.limit
                request.follow = filter.isFollowing
                request.withPayload = filter.hasPayloads
            }, read: AuditEvent.init)
    }

    /// Counts by "tool", "actor", "outcome", "kind" or "day".
    package func auditSummary(
        by: String, since: String, until: String
    ) async throws(ClientError) -> [(key: String, count: UInt64)] {
        let reply = try await call(
            Domed_V1_DomedService.summarizeAudit,
            .with { request in
                request.by = by
                request.since = since
                request.until = until
            })
        try Self.check(reply.status)
        return reply.counts.map { (key: $0.key, count: $0.count) }
    }

    /// Verifies everything; the last verdict of the stream is done. `checkpoints` are signed notes kept elsewhere.
    package func verifyAudit(
        against checkpoints: [String]
    ) async throws(ClientError) -> ResponseStream<AuditVerdict> {
        ResponseStream(
            try await usableConnection(), metadata, Domed_V1_DomedService.verifyAudit,
            .with { $0.checkpoints = checkpoints }, read: AuditVerdict.init)
    }

    /// A proof that the event is in the log, as text.
    package func auditProof(_ seq: UInt64) async throws(ClientError) -> String {
        let reply = try await call(Domed_V1_DomedService.proveAudit, .with { $0.seq = seq })
        try Self.check(reply.status)
        return reply.proof
    }

    /// Erases what the event is about; answers the number of the event that says so.
    package func redactAudit(_ seq: UInt64, why: String) async throws(ClientError) -> UInt64 {
        let reply = try await call(
            Domed_V1_DomedService.redactAudit,
            .with { request in
                request.seq = seq
                request.why = why
            })
        try Self.check(reply.status)
        return reply.seq
    }

    /// The oldest first.
    package func keys() async throws(ClientError) -> [PublicKey] {
        let reply = try await call(Domed_V1_DomedService.listKeys, Domed_V1_ListKeysRequest())
        try Self.check(reply.status)
        return reply.keys.map(PublicKey.init)
    }

    package func rotateKey() async throws(ClientError) -> PublicKey {
        let reply = try await call(Domed_V1_DomedService.rotateKey, Domed_V1_RotateKeyRequest())
        try Self.check(reply.status)
        guard let key = reply.key else { throw .protocolBroken("the reply to RotateKey has no key") }
        return PublicKey(key)
    }

    /// A DSSE envelope as JSON.
    package func exportProvenance(_ jobID: String) async throws(ClientError) -> String {
        let reply = try await call(Domed_V1_DomedService.exportProvenance, .with { $0.jobId = jobID })
        try Self.check(reply.status)
        return reply.envelopeJson
    }

    /// Runs a job's request once more; the same key is the same job.
    package func rerun(_ jobID: String, isExact: Bool, key: String) async throws(ClientError) -> Rerun {
        let reply = try await call(
            Domed_V1_DomedService.rerunJob,
            .with { request in
                request.jobId = jobID
                request.exact = isExact
                request.idempotencyKey = key
            })
        try Self.check(reply.status)
        var rerun = Rerun()
        rerun.jobID = reply.jobId
        rerun.runID = reply.runId
        rerun.drifts = reply.drifts
        return rerun
    }
}
