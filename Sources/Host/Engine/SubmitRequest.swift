internal import DomeCrypto
package import DomeModel

/// SkillExecute's request as a value, unchecked.
package struct SubmitRequest: Sendable {
    package var skillID: String
    package var profile: String
    package var idempotencyKey: String
    package var taskJSON: String
    package var constraintsJSON: String
    package var caller: Caller
    /// What the caller says of itself, a JSON object; "" for nothing.
    package var callerJSON = ""
    /// `traceparent` as it came with the call; nil for nothing.
    package var traceparent: String?

    /// Where the job belongs in its caller's trace: what came with the call, else what the caller says of itself.
    package var trace: TraceContext? {
        if let traceparent { return TraceContext(traceparent) }
        guard let stated = try? statedCaller() else { return nil }
        return stated["traceparent"]?.stringValue.flatMap { TraceContext($0) }
    }

    package init(
        skillID: String, profile: String, idempotencyKey: String, taskJSON: String, constraintsJSON: String,
        caller: Caller
    ) {
        self.skillID = skillID
        self.profile = profile
        self.idempotencyKey = idempotencyKey
        self.taskJSON = taskJSON
        self.constraintsJSON = constraintsJSON
        self.caller = caller
    }

    /// The longest id, profile or idempotency key, in bytes: they are stored, indexed and printed.
    package static let nameLimitBytes = 512

    /// The largest `callerJSON`: it is stored twice for each job.
    package static let callerLimitBytes = 4_096

    /// What the caller says of itself; nil for nothing.
    package func statedCaller() throws(DomeError) -> JSONObject? {
        guard !callerJSON.isEmpty else { return nil }
        guard callerJSON.utf8.count <= Self.callerLimitBytes else {
            throw DomeError(.invalidRequest, "caller_json is longer than \(Self.callerLimitBytes) bytes")
        }
        guard let object = try JSONParser.parse(callerJSON, what: "caller_json").objectValue else {
            throw DomeError(.invalidRequest, "caller_json must be a JSON object")
        }
        return object
    }

    /// Checks the plain fields.
    package func checkFields() throws(DomeError) {
        for (name, value) in [("skill_id", skillID), ("profile", profile), ("idempotency_key", idempotencyKey)] {
            guard !value.isEmpty else { throw DomeError(.invalidRequest, "\(name) must not be empty") }
            guard value.utf8.count <= Self.nameLimitBytes else {
                throw DomeError(.invalidRequest, "\(name) is longer than \(Self.nameLimitBytes) bytes")
            }
            guard !value.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) else {
                throw DomeError(.invalidRequest, "\(name) must not contain control characters")
            }
        }
        _ = try statedCaller()
    }
}

/// What a submission leads to.
package struct SubmitReply: Sendable {
    package var report: JobReport
    /// Whether the idempotency key named an earlier job, which this is.
    package var isReplayed: Bool
    /// "submitted" or "replayed", and perhaps a hint.
    package var message: String
}

/// A file that a job left.
package struct ArtifactReport: Sendable, Equatable {
    package var kind: String
    /// Absolute path on the host.
    package var path: String
    /// What it was called below /job/out.
    package var name: String
    /// 64 hexadecimal digits.
    package var sha256: String
    package var byteCount: UInt64
    /// The digest as a content identifier (CIDv1).
    package var contentID: String { Digest(hex: sha256)?.contentID ?? "" }
}
