internal import DomeCrypto
internal import DomeModel

/// An in-toto Statement v1 with a SLSA provenance v1 predicate, from what is stored of a job that has ended.
struct ProvenanceStatement {
    let report: JobReport
    let version: String

    static let buildType = "urn:dome:job:v1"
    static let builderID = "urn:dome:domed"

    /// The statement as canonical JSON.
    func document() -> JSONValue {
        [
            "_type": "https://in-toto.io/Statement/v1", "subject": .array(subjects),
            "predicateType": "https://slsa.dev/provenance/v1",
            "predicate": ["buildDefinition": buildDefinition, "runDetails": runDetails],
        ]
    }

    private var provenance: JSONValue { report.provenance }

    /// What came out: stdout and stderr always, so that there is always something that the statement is about.
    private var subjects: [JSONValue] {
        var subjects: [JSONValue] = []
        for stream in ["stdout", "stderr"] {
            guard let digest = Self.digest(provenance["products"]?[stream + "_sha256"]) else { continue }
            subjects.append(["name": .string("\(report.jobID)/\(stream)"), "digest": digest])
        }
        for artifact in report.artifacts {
            guard let digest = Self.digest(.string(artifact.sha256)) else { continue }
            subjects.append(["name": .string("\(report.jobID)/out/\(artifact.name)"), "digest": digest])
        }
        guard subjects.isEmpty else { return subjects }
        if let input = Self.digest(provenance["input_hash"]) {
            return [["name": .string("\(report.jobID)/input"), "digest": input]]
        }
        // A job that made nothing, and whose task was redacted.
        guard let document = try? SHA256.digest(report.provenanceText).hex else { return [] }
        return [["name": .string("\(report.jobID)/provenance"), "digest": ["sha256": .string(document)]]]
    }

    private var buildDefinition: JSONValue {
        let invocation = provenance["invocation"]
        return [
            "buildType": .string(Self.buildType),
            "externalParameters": [
                "tool": provenance["tool"] ?? .null, "profile": .string(report.profile),
                "grants": invocation?["grants"] ?? .array([]), "constraints": invocation?["constraints"] ?? .null,
                "input": provenance["input_hash"] ?? .null,
            ],
            "internalParameters": [
                "executor": provenance["executor"] ?? .null, "policy_sha256": provenance["policy_sha256"] ?? .null,
                "sandbox": provenance["sandbox"] ?? .null,
                "sandbox_profile_sha256": provenance["sandbox_profile_sha256"] ?? .null,
                "environment": provenance["env_fingerprint"] ?? .null,
            ],
            "resolvedDependencies": .array(materials),
        ]
    }

    /// What went in: the tool's documents and files, the plugin, the program, the caller's commit.
    private var materials: [JSONValue] {
        var materials: [JSONValue] = []
        func add(_ name: String, _ value: JSONValue?) {
            guard let digest = Self.digest(value) else { return }
            materials.append(["name": .string(name), "digest": digest])
        }
        for (name, value) in provenance["contract_hashes"]?.objectValue?.members ?? [] { add("tool/" + name, value) }
        add("executor", provenance["executor_library_sha256"])
        add("program", provenance["program"]?["sha256"])
        add("interpreter", provenance["program"]?["interpreter"]?["sha256"])
        for source in [provenance, provenance["tool_source"]] {
            guard let commit = source?["commit_sha"]?.stringValue, commit.utf8.count >= 40 else { continue }
            let remote = source?["remote"]?.stringValue ?? "unknown"
            let repository = source?["repo"]?.stringValue ?? "unknown"
            let place = remote == "unknown" || remote.isEmpty ? "file://" + repository : remote
            materials.append(["uri": .string("git+" + place), "digest": ["gitCommit": .string(commit)]])
        }
        return materials
    }

    private var runDetails: JSONValue {
        var metadata: JSONObject = ["invocationId": .string(report.jobID.text)]
        if let started = report.startedNanoseconds { metadata["startedOn"] = .string(Self.time(started)) }
        if let ended = report.endedNanoseconds { metadata["finishedOn"] = .string(Self.time(ended)) }
        return [
            "builder": ["id": .string(Self.builderID), "version": ["domed": .string(version)]],
            "metadata": .object(metadata),
            // The document whole, as the audit log vouches for it.
            "byproducts": [
                [
                    "name": "provenance.json", "mediaType": "application/json",
                    "content": .string(Base64.encode(Array(report.provenanceText.utf8))),
                ]
            ],
        ]
    }

    private static func time(_ nanoseconds: Int64) -> String { Timestamp.format(nanoseconds: nanoseconds) }

    /// Of 64 hexadecimal digits, maybe after "sha256:"; nil for anything else, such as "unknown".
    private static func digest(_ value: JSONValue?) -> JSONValue? {
        guard var text = value?.stringValue else { return nil }
        if text.hasPrefix("sha256:") { text.removeFirst(7) }
        guard Digest(hex: text) != nil else { return nil }
        return ["sha256": .string(text)]
    }
}
