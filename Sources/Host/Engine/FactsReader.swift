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
        let facts = GitFacts.read(folder)
        answers[folder] = (facts, Clock.monotonicNanoseconds())
        return facts
    }
}
