import DomeClient
import DomeModel

extension Verb {
    /// `dome job show`
    static let jobShow = Verb(
        words: ["job", "show"], summary: "show a job's record: state, times, provenance, sandbox, artifacts",
        positionals: [PositionalSpec("JOB", help: "the job's id, as 'dome jobs' lists it", completion: .jobs)],
        examples: ["dome job show job-01k…"]
    ) { invocation async throws(CommandFailure) in
        let id = try jobID(invocation.argument(0))
        let client = try invocation.client()
        let job = try await calling { () async throws(ClientError) in try await client.job(id) }
        try invocation.print(json: job.json, text: job.text(style: invocation.style))
        return ExitStatus.success
    }
}

extension JobDetail {
    fileprivate func text(style: Style) -> String {
        var fields = Fields()
        fields.add("job", summary.jobID)
        fields.add("run", summary.runID)
        fields.add("tool", summary.toolID)
        fields.add("profile", summary.profile)
        fields.add("state", summary.state?.name ?? "unknown")
        fields.add("exit code", summary.exitCode.map { String($0) } ?? "")
        fields.add("signal", signal.map { String($0) } ?? "")
        fields.add("reason", reason)
        fields.add("message", summary.message)
        fields.add("created", summary.createdAt)
        fields.add("started", summary.startedAt)
        fields.add("ended", summary.endedAt)
        fields.add("took", summary.startedAt.isEmpty ? "" : summary.duration)
        fields.add("last event", summary.lastSeq == 0 ? "" : String(summary.lastSeq))
        fields.add("artifacts", Self.lines(artifacts))
        fields.add("result", Rendered.line(String(resultJSON.prefix(200))) + (resultJSON.count > 200 ? "…" : ""))
        var output = fields.text(style: style)
        let sections: [(String, [(String, JSONValue)])] = [
            ("provenance", provenance.members), ("sandbox", Self.members(enforcementJSON)),
            ("resources", Self.members(resourcesJSON)),
        ]
        for (title, members) in sections where !members.isEmpty {
            output += "\n" + style.bold(title) + "\n" + Outline.text(members, indentation: 2)
        }
        return output
    }

    /// A job may leave a thousand: the first ones, and how to see the rest.
    private static func lines(_ artifacts: [Artifact]) -> String {
        var lines = artifacts.prefix(20).map { "\($0.name)  \(Quantity.text(bytes: $0.byteCount))  \($0.path)" }
        if artifacts.count > 20 { lines.append("and \(artifacts.count - 20) more: dome artifacts JOB") }
        return lines.joined(separator: "\n")
    }

    private static func members(_ document: String) -> [(String, JSONValue)] {
        JSONValue.embedded(document).objectValue?.members.map { ($0.key, $0.value) } ?? []
    }
}

extension Provenance {
    fileprivate var members: [(String, JSONValue)] {
        let all: [(String, JSONValue)] = [
            ("repo", .string(repo)), ("commit", .string(commitSHA)),
            ("dirty", commitSHA.isEmpty ? .string("") : .bool(isDirty)), ("input hash", .string(inputHash)),
            ("hashes", .embedded(contractHashesJSON)), ("versions", .embedded(toolVersionsJSON)),
            ("environment", .embedded(environmentFingerprint)),
        ]
        return all.filter { $0.1 != .string("") && $0.1 != .null }
    }
}

/// Documents for people: a line a value, objects indented.
enum Outline {
    static func text(_ members: [(String, JSONValue)], indentation: Int) -> String {
        let margin = String(repeating: " ", count: indentation)
        var output = ""
        for (name, value) in members {
            output += margin + Rendered.line(name) + ":"
            switch value {
            case .object(let object) where !object.isEmpty:
                output += "\n" + text(object.members.map { ($0.key, $0.value) }, indentation: indentation + 2)
            case .array(let elements) where elements.contains { $0.objectValue != nil }:
                output += "\n"
                for element in elements { output += margin + "  " + Rendered.line(element.compact) + "\n" }
            case .array(let elements):
                output += " " + Rendered.line(elements.map(scalar).joined(separator: ", ")) + "\n"
            default: output += " " + Rendered.line(scalar(value)) + "\n"
            }
        }
        return output
    }

    private static func scalar(_ value: JSONValue) -> String {
        switch value {
        case .string(let text): text
        case .bool(let flag): flag ? "yes" : "no"
        default: value.compact
        }
    }
}
