import DomeAsync
import DomeClient
import DomeModel

extension Verb {
    /// `dome diff`
    static let diff = Verb(
        words: ["diff"], summary: "say in what two jobs differ: input, code, tool, machine, output",
        details: [
            "Compares their provenance and their outcomes, and names the first line of output at which the two part. Exits "
                + "with 1 if anything but times, ids and resources differs."
        ],
        positionals: [
            PositionalSpec("JOB_A", help: "one job", completion: .jobs),
            PositionalSpec("JOB_B", help: "the other", completion: .jobs),
        ],
        examples: ["dome diff job-01k… job-01m…"]
    ) { invocation async throws(CommandFailure) in
        let ids = [try jobID(invocation.argument(0)), try jobID(invocation.argument(1))]
        let client = try invocation.client()
        var jobs: [JobDetail] = []
        for id in ids { jobs.append(try await calling { () async throws(ClientError) in try await client.job(id) }) }
        var differences = Difference.between(jobs[0], jobs[1])
        if let parting = try await Parting.find(client, ids[0], ids[1]) { differences.append(parting) }
        try invocation.print(
            json: .array(differences.map(\.json)), text: Difference.text(differences, ids, invocation.style))
        return differences.isEmpty ? ExitStatus.success : ExitStatus.failure
    }
}

/// One thing in which two jobs differ.
struct Difference: Equatable {
    /// "input", "source", "tool", "environment", "invocation", "output" or "outcome".
    var area: String
    var name: String
    var left: String
    var right: String

    /// Members of the provenance document by area; what is not named differs from run to run anyway.
    private static let areas: [(area: String, path: [String])] = [
        ("input", ["input_hash"]), ("source", ["repo"]), ("source", ["remote"]), ("source", ["commit_sha"]),
        ("source", ["dirty_flag"]), ("source", ["source_diff_sha256"]), ("tool", ["tool"]),
        ("tool", ["contract_hashes"]), ("tool", ["executor"]), ("tool", ["executor_library_sha256"]),
        ("tool", ["tool_versions"]), ("tool", ["tool_source"]), ("tool", ["program"]),
        ("environment", ["env_fingerprint"]),
        ("environment", ["policy_sha256"]), ("environment", ["sandbox"]),
        ("environment", ["sandbox_profile_sha256"]), ("invocation", ["invocation", "profile"]),
        ("invocation", ["invocation", "grants"]), ("invocation", ["invocation", "caller", "executable"]),
        ("invocation", ["invocation", "caller", "cwd"]), ("output", ["products", "stdout_sha256"]),
        ("output", ["products", "stderr_sha256"]),
    ]

    static func between(_ left: JobDetail, _ right: JobDetail) -> [Difference] {
        let documents = [left, right].map { JSONValue.embedded($0.provenanceJSON) }
        var found: [Difference] = []
        for (area, path) in areas {
            let values = documents.map { document in
                path.reduce(document as JSONValue?) { value, name in value?[name] }
            }
            compare(area, path.joined(separator: "."), values[0], values[1], &found)
        }
        compare(
            "outcome", "state", .string(left.summary.state?.name ?? ""), .string(right.summary.state?.name ?? ""),
            &found)
        compare("outcome", "exit_code", .optional(left.summary.exitCode), .optional(right.summary.exitCode), &found)
        compare("outcome", "reason", .string(left.reason), .string(right.reason), &found)
        compareArtifacts(left.artifacts, right.artifacts, &found)
        return found
    }

    /// Objects member by member.
    private static func compare(
        _ area: String, _ name: String, _ left: JSONValue?, _ right: JSONValue?, _ found: inout [Difference]
    ) {
        guard left != right else { return }
        if let first = left?.objectValue, let second = right?.objectValue {
            for key in first.keys + second.keys.filter({ first[$0] == nil }) {
                compare(area, name + "." + key, first[key], second[key], &found)
            }
            return
        }
        found.append(Difference(area: area, name: name, left: text(left), right: text(right)))
    }

    private static func compareArtifacts(
        _ left: [Artifact], _ right: [Artifact], _ found: inout [Difference]
    ) {
        let sums = [left, right].map {
            Dictionary($0.map { ($0.name, $0.sha256) }, uniquingKeysWith: { first, _ in first })
        }
        for name in Set(sums[0].keys).union(sums[1].keys).sorted() where sums[0][name] != sums[1][name] {
            found.append(
                Difference(
                    area: "output", name: "artifact " + name, left: sums[0][name] ?? "none",
                    right: sums[1][name] ?? "none"))
        }
    }

    private static func text(_ value: JSONValue?) -> String { value.map { $0.stringValue ?? $0.compact } ?? "none" }

    var json: JSONValue {
        ["area": .string(area), "name": .string(name), "left": .string(left), "right": .string(right)]
    }

    static func text(_ differences: [Difference], _ ids: [String], _ style: Style) -> String {
        guard !differences.isEmpty else { return "no difference but times, ids and resources\n" }
        var output = style.red("--- " + ids[0]) + "\n" + style.green("+++ " + ids[1]) + "\n"
        for one in differences {
            output += style.bold(one.area) + " " + Rendered.line(one.name) + "\n"
            output +=
                style.red("- " + Rendered.line(one.left)) + "\n" + style.green("+ " + Rendered.line(one.right)) + "\n"
        }
        return output
    }
}

/// The first line of output at which two jobs part, stream by stream: how the two are mixed is no difference.
@Core
private struct Parting {
    static func find(
        _ client: DaemonClient, _ left: String, _ right: String
    ) async throws(CommandFailure) -> Difference? {
        var (first, second) = (Lines(client, left), Lines(client, right))
        for stream in [OutputStream.stdout, .stderr] {
            var number = 0
            while true {
                let (a, b) = (try await first.next(stream), try await second.next(stream))
                number += 1
                if a == nil, b == nil { break }
                guard a?.line != b?.line else { continue }
                return Difference(
                    area: "output", name: "\(stream.name) line \(number)", left: text(a), right: text(b))
            }
            (first, second) = (Lines(client, left), Lines(client, right))
        }
        return nil
    }

    private static func text(_ line: Lines.Line?) -> String {
        line.map { "event \($0.seq): " + String(decoding: $0.line.prefix(200), as: UTF8.self) } ?? "ends before"
    }
}

/// A job's lines of one stream, one after the other.
@Core
private final class Lines {
    struct Line {
        var seq: UInt64
        var line: [UInt8]
    }

    private let follower: JobFollower
    private var waiting: ArraySlice<JobEvent> = []
    private var isAtEnd = false

    init(_ client: DaemonClient, _ job: String) {
        follower = JobFollower(client, jobID: job, follow: false, sinceSeq: 0)
    }

    func next(_ stream: OutputStream) async throws(CommandFailure) -> Line? {
        while true {
            while let event = waiting.popFirst() {
                guard event.kind == .log, let payload = event.log, payload.stream == stream else { continue }
                return Line(seq: event.seq, line: payload.line)
            }
            guard !isAtEnd else { return nil }
            let follower = follower
            guard let events = try await calling({ () async throws(ClientError) in try await follower.next() }) else {
                isAtEnd = true
                return nil
            }
            waiting = events[...]
        }
    }
}
