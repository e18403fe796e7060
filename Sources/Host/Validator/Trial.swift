internal import DomeCatalog
package import DomeModel

/// One rule of the ABI, and how to find out whether a plugin keeps it.
package struct Trial: Sendable {
    /// What results and `--test` call it, e.g. "entry-magic".
    package let name: String
    /// The rule, in one line.
    package let rule: String
    /// Of which kind of plugin; nil for both.
    let kind: PluginFile.Kind?
    /// Whether all that follow need it: they are skipped if it does not pass.
    let isGate: Bool
    /// Returns what was found, in a few words, if the rule is kept.
    let run: @Sendable (Bench) throws(TrialEnd) -> String

    init(
        _ name: String, _ rule: String, kind: PluginFile.Kind? = nil, isGate: Bool = false,
        _ run: @escaping @Sendable (Bench) throws(TrialEnd) -> String
    ) {
        self.name = name
        self.rule = rule
        self.kind = kind
        self.isGate = isGate
        self.run = run
    }

    package var kindName: String? { kind?.rawValue }
}

/// How a trial ends when it does not pass, with the reason.
enum TrialEnd: Error {
    case failed(String)
    case skipped(String)

    /// The same end with more about it.
    func adding(_ more: String) -> TrialEnd {
        switch self {
        case .failed(let reason): .failed(reason + "; " + more)
        case .skipped(let reason): .skipped(reason + "; " + more)
        }
    }
}

/// Fails the trial unless `holds`.
func require(_ holds: Bool, _ reason: @autoclosure () -> String) throws(TrialEnd) {
    if !holds { throw .failed(reason()) }
}

/// What came of one trial.
package struct Finding: Sendable {
    package enum Verdict: String, Sendable {
        case passed = "PASS"
        case failed = "FAIL"
        case skipped = "SKIP"
    }

    package let name: String
    package let rule: String
    package let verdict: Verdict
    package let reason: String
    package var milliseconds: Int64 = 0
    /// The test that had to pass before this one could be tried; nil if it was tried.
    package var missing: String?
    /// Whether it was not tried because it is of another kind of plugin.
    package var isOfAnotherKind = false

    init(_ trial: Trial, _ verdict: Verdict, _ reason: String) {
        (name, rule) = (trial.name, trial.rule)
        self.verdict = verdict
        self.reason = reason
    }

    package var json: JSONValue {
        [
            "name": .string(name), "verdict": .string(verdict.rawValue), "reason": .string(reason),
            "rule": .string(rule), "milliseconds": .integer(milliseconds),
        ]
    }
}

/// What came of all.
package struct Report: Sendable {
    package let folder: String
    package let plugin: String?
    package let version: String?
    package let seed: UInt64
    package let findings: [Finding]

    package func count(_ verdict: Finding.Verdict) -> Int { findings.count { $0.verdict == verdict } }

    /// A plugin is as it should be if nothing failed and something passed.
    package var isGood: Bool { count(.failed) == 0 && count(.passed) > 0 }

    package var json: JSONValue {
        [
            "folder": .string(folder), "plugin": plugin.map { .string($0) } ?? .null,
            "version": version.map { .string($0) } ?? .null, "seed": .string(String(seed)),
            "passed": .integer(Int64(count(.passed))), "failed": .integer(Int64(count(.failed))),
            "skipped": .integer(Int64(count(.skipped))), "tests": .array(findings.map(\.json)),
        ]
    }
}
