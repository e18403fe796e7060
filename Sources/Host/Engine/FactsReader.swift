package import DomeAsync
internal import DomeModel
internal import DomePlatform

/// Does what takes time and nobody should wait for: git, the host, folders made ahead. On a thread of its own and never for long: a
/// repository on a dead network mount must not hold a job up. What git answers is kept for a short time per folder,
/// so that a thousand jobs from one place ask once.
package actor FactsReader {
    private let executor: LoopExecutor
    private var answers: [String: (facts: GitFacts, takenNanoseconds: Int64)] = [:]

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private static let freshNanoseconds: Int64 = 2_000_000_000

    package init(executor: LoopExecutor) { self.executor = executor }

    /// Makes folders for jobs to come.
    func refill(_ spares: SpareFolders) { spares.refill() }

    /// Throws away the folders of an earlier life and makes new ones.
    func renew(_ spares: SpareFolders) {
        spares.clear()
        spares.refill()
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
