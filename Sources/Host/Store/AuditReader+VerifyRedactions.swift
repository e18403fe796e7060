internal import DomeModel

/// A payload, and the salt of its code, may be gone, but not without a word: the log has an event that says so, and what
/// became of the job's provenance then.
extension AuditReader {
    private static let later = Query("SELECT leaf FROM audit WHERE seq > ?1 AND kind = 'redacted' ORDER BY seq")

    static func noteRedaction(_ leaf: [UInt8], _ run: inout AuditVerification) {
        guard let details = self.leaf(leaf)?["details"], let event = details["event"]?.integerValue else { return }
        run.redactions[event] = AuditVerification.Redaction(
            provenance: details["provenance_sha256"]?.stringValue ?? run.redactions[event]?.provenance)
    }

    /// Reads what was redacted since the verification began. What it began with is read with the leaves.
    func readLaterRedactions(_ run: inout AuditVerification) throws(DomeError) {
        let leaves = try connection().all(Self.later, [.integer(run.total)], what: "verify the redactions") { row in
            row.blob(0)
        }
        for leaf in leaves { Self.noteRedaction(leaf, &run) }
    }

    func checkRedactions(_ run: inout AuditVerification) throws(DomeError) {
        guard run.unsalted.contains(where: { run.redactions[$0] == nil }) else { return }
        try readLaterRedactions(&run)
        for seq in run.unsalted where run.redactions[seq] == nil {
            run.add(
                seq...seq, "payload",
                "the salt of event \(seq)'s payload was erased, and the log has no event that says so: whether its payload "
                    + "is the one that was recorded cannot be told any more")
        }
    }
}
