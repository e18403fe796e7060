package import DomeAsync
package import DomeCatalog
package import DomeModel
package import DomePlatform

/// Finds out what takes time: git, the host, the registry's files. On a thread of its own and never for long: a
/// repository on a dead network mount must not hold a job up. What git answers is kept for a short time per folder,
/// so that a thousand jobs from one place ask once.
package actor FactsReader {
    private let executor: LoopExecutor
    private var answers: [String: (facts: GitFacts, takenNanoseconds: Int64)] = [:]

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private var catalogCheckedNanoseconds: Int64 = 0

    private static let freshNanoseconds: Int64 = 2_000_000_000
    private static let timeLimitMilliseconds: Int64 = 2_000

    package init(executor: LoopExecutor) { self.executor = executor }

    /// Reads the registry again if it changed since it was last looked at; looks at most once a second unless
    /// somebody misses something.
    package func reloadIfChanged(_ catalog: Catalog, somethingIsMissing: Bool = false) {
        let now = Clock.monotonicNanoseconds()
        guard somethingIsMissing || now - catalogCheckedNanoseconds > 1_000_000_000 else { return }
        catalogCheckedNanoseconds = now
        if catalog.reloadIfChanged() {
            let snapshot = catalog.snapshot
            Log.info(
                "registry.reloaded", ["tools": "\(snapshot.tools.count)", "problems": "\(snapshot.problems.count)"])
        }
    }

    /// Puts permissions and grants together; looks at the paths on disk.
    package func evaluate(
        _ directories: Directories, _ tool: Tool, grants: [Permission]
    ) throws(DomeError) -> EffectiveGrants {
        try Policy.load(directories).evaluate(tool.manifest, grants: grants)
    }

    /// The machine's facts; takes some milliseconds.
    package func host() -> HostFacts { HostFacts.read() }

    /// The facts of the repository around `folder`; blocks only this actor's thread.
    package func facts(of folder: String) -> GitFacts {
        let now = Clock.monotonicNanoseconds()
        if let answer = answers[folder], now - answer.takenNanoseconds < Self.freshNanoseconds { return answer.facts }
        if answers.count > 256 { answers.removeAll() }
        let facts = Self.read(folder)
        answers[folder] = (facts, Clock.monotonicNanoseconds())
        return facts
    }

    private static func read(_ folder: String) -> GitFacts {
        var facts = GitFacts()
        guard let places = git(folder, ["rev-parse", "--show-toplevel", "HEAD"]) else { return facts }
        let lines = places.split(separator: "\n")
        guard lines.count == 2 else { return facts }
        facts.repository = String(lines[0])
        facts.commit = String(lines[1])
        if let remote = git(folder, ["config", "--get", "remote.origin.url"])?.split(separator: "\n").first {
            facts.remote = withoutCredentials(String(remote))
        }
        // Plumbing that compares what stat says and never reads contents: `git status` would run the clean
        // filters that a repository's own configuration names, outside of any jail. The price: a file that was
        // touched but not changed counts as dirty until the user's next `git status`.
        let changed = git(folder, ["diff-index", "--name-only", "HEAD", "--"])
        let untracked = git(folder, ["ls-files", "--others", "--exclude-standard", "--directory", ":/"])
        facts.isDirty = changed?.isEmpty == false || untracked?.isEmpty == false
        return facts
    }

    /// `https://user:token@host/…` names a secret; the host is enough.
    private static func withoutCredentials(_ url: String) -> String {
        let parts = url.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
        guard parts.count >= 3, parts[0].hasSuffix(":"), parts[1].isEmpty, let at = parts[2].lastIndex(of: "@") else {
            return url
        }
        let host = parts[2][parts[2].index(after: at)...]
        return parts[0] + "//" + host + (parts.count > 3 ? "/" + parts[3] : "")
    }

    private static func git(_ folder: String, _ arguments: [String]) -> String? {
        // Nothing in the repository's own configuration may run a program on our behalf.
        let safety = ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.pager=cat"]
        var program = Subprocess("/usr/bin/git", ["git", "--no-optional-locks"] + safety + ["-C", folder] + arguments)
        program.environment = ["PATH=/usr/bin:/bin", "LC_ALL=C", "GIT_TERMINAL_PROMPT=0", "GIT_CONFIG_NOSYSTEM=1"]
        do throws(DomeError) {
            let outcome = try program.capture(limitBytes: 64 << 10, timeoutMilliseconds: timeLimitMilliseconds)
            guard outcome.exitCode == 0 || outcome.output.count >= 64 << 10 else { return nil }
            return String(decoding: outcome.output, as: UTF8.self)
        } catch {
            Log.debug("git.unavailable", ["reason": error.message])
            return nil
        }
    }
}
