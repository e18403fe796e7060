import DomeClient
import DomeModel
import DomeSchema
import Glibc

extension OptionSpec {
    /// What restricts events; ANDed.
    static let auditFilters: [OptionSpec] = [
        OptionSpec("--kind", value: "KIND", help: "only this kind: intent, outcome, denied, canceled, key, gc, …"),
        OptionSpec("--tool", value: "TOOL", help: "only this tool's", completion: .tools),
        OptionSpec("--actor", value: "USER", help: "only what this user did: a name or a number"),
        OptionSpec(
            "--outcome", value: "OUTCOME", help: "only with this outcome: succeeded, failed, canceled, denied, …",
            completion: .suggestions(["succeeded", "failed", "canceled", "denied"])),
        OptionSpec("--job", value: "JOB", help: "only about this job", completion: .jobs),
        OptionSpec("--grep", value: "RE", help: "only events whose leaf this regular expression is found in"),
        OptionSpec("--since", value: "TIME", help: "at or after: -1h, 2026-01-31, 2026-01-31T12:00:00Z, today"),
        OptionSpec("--until", value: "TIME", help: "before, likewise"),
        OptionSpec("--after-cursor", value: "CURSOR", help: "only what comes after the event with this cursor"),
        OptionSpec("--payload", help: "with what the events are about, where it is still kept (not in tables)"),
    ]
}

extension Invocation {
    /// The filter that the options make, but for --grep.
    func auditFilter() throws(CommandFailure) -> AuditFilter {
        var filter = AuditFilter()
        filter.kind = value("--kind") ?? ""
        filter.toolID = value("--tool") ?? ""
        filter.outcome = value("--outcome") ?? ""
        filter.since = try moment("--since")
        filter.until = try moment("--until")
        filter.afterCursor = value("--after-cursor") ?? ""
        filter.hasPayloads = has("--payload")
        if let job = value("--job") { filter.jobID = try jobID(job) }
        if let actor = value("--actor") { filter.actorUserID = try Self.userID(actor) }
        return filter
    }

    func grepPattern() throws(CommandFailure) -> TextPattern? {
        guard let text = value("--grep") else { return nil }
        do throws(DomeError) { return try TextPattern(text) } catch {
            throw .usage("--grep: \(error.message)")
        }
    }

    private static func userID(_ text: String) throws(CommandFailure) -> UInt32 {
        if let number = UInt32(text) { return number }
        guard let entry = getpwnam(text) else {
            throw .usage("--actor: there is no user '\(text)' here; a number is always good")
        }
        return entry.pointee.pw_uid
    }

    /// An event's number.
    func eventNumber(_ index: Int) throws(CommandFailure) -> UInt64 {
        guard let seq = UInt64(argument(index)), seq > 0 else {
            throw .usage("'\(argument(index))' is no event; they are numbered from 1, and 'dome audit' lists them")
        }
        return seq
    }
}
