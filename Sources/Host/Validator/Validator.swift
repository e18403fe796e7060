// Room Validator: whether a plugin keeps the rules of the ABI, found out by trying. Each rule is a trial with a name.
// What can be read from the files is read; whatever takes the plugin's code happens in `domed-plugin-probe` (the room
// CProbe), a fresh process for each trial, which the plugin may crash, hang or end: that is a result like any other.
// Nothing of the plugin is ever mapped into the process that asks.

internal import DomeCatalog
package import DomeModel
internal import DomePlatform
internal import Glibc

/// Tries a plugin out.
package struct Validator {
    package struct Options: Sendable {
        /// Of the trial `fuzzed-payloads`; the same seed gives the same payloads.
        package var seed: UInt64
        package var fuzzCount = 500
        /// How long a plugin may take for one step.
        package var stepMilliseconds: Int64 = 5_000
        /// Whether the plugin runs in the sandbox, with the permissions of its plugin.json; else with the caller's rights.
        package var isConfined = true
        /// Only trials of these names, with those that they need; empty for all.
        package var only: [String] = []

        /// `domed-keeper`, which makes the sandbox; found by `Validator.init`.
        var keeperPath = ""

        package init(seed: UInt64) { self.seed = seed }
    }

    private let options: Options
    private let bench: Bench

    /// For the plugin in `folder`, which is made absolute. `programs` is the folder of dome's programs.
    /// E_NOT_FOUND when there is no such folder or no probe, E_INVALID_REQUEST for a name in `only` that no trial has.
    package init(folder: String, programs: String, options: Options) throws(DomeError) {
        guard let resolved = realpath(folder, nil) else { throw .system("find the plugin folder \(folder)", errno) }
        defer { free(resolved) }
        let path = String(cString: resolved)
        guard Files.isDirectory(path) else {
            throw DomeError(.notFound, "\(path) is no folder; name the one that plugin.json and the library are in")
        }
        let probe = programs + "/../lib/dome/domed-plugin-probe"
        guard access(probe, X_OK) == 0 else {
            throw DomeError(.notFound, "\(probe) is missing: install dome again")
        }
        let names = Self.trials.map(\.name)
        for name in options.only where !names.contains(name) {
            throw DomeError(.invalidRequest, "there is no test '\(name)'; --list names them all")
        }
        var options = options
        options.keeperPath = programs + "/domed-keeper"
        self.options = options
        bench = Bench(folder: path, probe: probe, options: options)
    }

    /// Every trial, in the order in which they run.
    package static let trials: [Trial] =
        folderTrials + libraryTrials + handshakeTrials + tableTrials + descriptorTrials + instanceTrials + callTrials
        + driveTrials + driveArtifactTrials + inputTrials + cancelTrials + ownershipTrials + leftoverTrials

    /// Runs them one after the other; `report` hears of each when it is over.
    package func run(_ report: (Finding) -> Void) -> Report {
        var findings: [Finding] = []
        // The first gate that did not open: what comes after it cannot be tried.
        var closed: String?
        for trial in Self.trials {
            let isWanted = options.only.isEmpty || options.only.contains(trial.name)
            guard isWanted || trial.isGate && closed == nil else { continue }
            let isOfItsKind = trial.kind == nil || trial.kind == bench.manifest?.kind
            var finding =
                closed.map { Finding(trial, .skipped, "needs \($0) to pass") }
                ?? (isOfItsKind ? self.finding(of: trial) : Finding(trial, .skipped, "not for this kind of plugin"))
            finding.missing = closed
            finding.isOfAnotherKind = !isOfItsKind
            if trial.isGate, isOfItsKind, finding.verdict != .passed, closed == nil { closed = trial.name }
            guard isWanted else { continue }
            findings.append(finding)
            report(finding)
        }
        return Report(
            folder: bench.folder, plugin: bench.manifest?.id, version: bench.manifest?.version, seed: options.seed,
            findings: findings)
    }

    private func finding(of trial: Trial) -> Finding {
        let began = Clock.monotonicNanoseconds()
        var finding: Finding
        do throws(TrialEnd) {
            finding = Finding(trial, .passed, try trial.run(bench))
        } catch {
            finding =
                switch error {
                case .failed(let reason): Finding(trial, .failed, reason)
                case .skipped(let reason): Finding(trial, .skipped, reason)
                }
        }
        finding.milliseconds = (Clock.monotonicNanoseconds() - began) / 1_000_000
        return finding
    }
}
