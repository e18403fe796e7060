internal import DomeCrypto
package import DomeModel

/// That an event's payload is to be erased: which, by whom and why. Its own event is made when it is known what it left.
package struct AuditRedaction: Sendable {
    package var event: Int64
    package var why: String
    package var actor: Caller
    package var timeNanoseconds: Int64

    package init(event: Int64, why: String, actor: Caller, timeNanoseconds: Int64) {
        self.event = event
        self.why = why
        self.actor = actor
        self.timeNanoseconds = timeNanoseconds
    }

    /// `provenance` is the job's document without the digest of its task: the log vouches for it from now on.
    func entry(jobID: JobID?, provenance: String?) throws(DomeError) -> AuditEntry {
        var details: JSONObject = ["event": .integer(event), "why": .string(why)]
        if let provenance { details["provenance_sha256"] = .string(try SHA256.digest(provenance).hex) }
        return AuditEntry(
            .redacted, timeNanoseconds: timeNanoseconds, actor: actor, jobID: jobID, details: details)
    }
}
