package import DomeAsync
internal import DomeModel
internal import DomePlatform
internal import Synchronization

/// Does what takes time and nobody should wait for: git, the host, folders made ahead. On a thread of its own and never for long: a
/// repository on a dead network mount must not hold a job up. What git answers is kept per folder as long as nothing in
/// the repository changes, so that a thousand jobs from one place ask once.
package actor FactsReader {
    private let executor: LoopExecutor
    private struct Answer {
        var facts: GitFacts
        /// When git was asked.
        var begunNanoseconds: Int64
        /// Nil outside of a repository, and for one that cannot be watched.
        var watch: FolderWatch?

        /// Whether it says how things were at that time or later.
        func holds(at nanoseconds: Int64) -> Bool {
            if let watch { return watch.isUnchanged }
            // No repository is made within a moment of the last job, nor does anything of ours depend on it.
            let patience = facts.repository == "unknown" ? FactsReader.freshNanoseconds : 0
            return begunNanoseconds + patience >= nanoseconds
        }
    }

    /// Each takes a descriptor, and a user has some hundred.
    private static let watchLimit = 16

    private let answers = Mutex([String: Answer]())

    /// A file's facts as long as its stamp is the same; looked at again after a while.
    private struct Program {
        var facts: ProgramFacts
        var stamp: FileStamp
        var takenNanoseconds: Int64
    }

    private let programs = Mutex([String: Program]())

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private static let freshNanoseconds: Int64 = 2_000_000_000

    package init(executor: LoopExecutor) { self.executor = executor }

    /// Makes folders for jobs to come. Returns whether it could.
    func refill(_ spares: SpareFolders, whileIdle isIdle: Bool) -> Bool { spares.refill(whileIdle: isIdle) }

    /// Takes over the folders of an earlier life and makes the first new ones.
    func renew(_ spares: SpareFolders) { spares.renew() }

    /// What is known of the program at `path` from a moment ago; from any thread, without waiting.
    nonisolated func knownProgram(_ path: String) -> ProgramFacts? {
        programs.withLock { programs in
            guard let program = programs[path],
                Clock.monotonicNanoseconds() - program.takenNanoseconds < Self.freshNanoseconds
            else { return nil }
            return program.facts
        }
    }

    /// The program at `path`; read once for as long as it does not change.
    func program(_ path: String) -> ProgramFacts {
        if let facts = knownProgram(path) { return facts }
        let stamp = FileStamp(path: path)
        let before = programs.withLock { $0[path] }
        let facts = before?.stamp == stamp ? before?.facts : nil
        let known = facts ?? ProgramFacts.read(path)
        programs.withLock { programs in
            if programs.count > 256 { programs.removeAll() }
            programs[path] = Program(facts: known, stamp: stamp, takenNanoseconds: Clock.monotonicNanoseconds())
        }
        return known
    }

    /// The machine's facts; takes some milliseconds.
    package func host() -> HostFacts { HostFacts.read() }

    /// What is known of `folder` as it is at `nanoseconds` (monotonic) or later; from any thread, without waiting.
    package nonisolated func known(_ folder: String, at nanoseconds: Int64) -> GitFacts? {
        answers.withLock { answers in
            guard let answer = answers[folder], answer.holds(at: nanoseconds) else { return nil }
            return answer.facts
        }
    }

    /// The facts of the repository around `folder` at `nanoseconds` or later; blocks only this actor's thread.
    package func facts(of folder: String, at nanoseconds: Int64) -> GitFacts {
        if let facts = known(folder, at: nanoseconds) { return facts }
        let begun = Clock.monotonicNanoseconds()
        // First the watch: what changes while git reads is a change.
        var watch = GitFacts.watch(folder)
        let facts = GitFacts.read(folder)
        if watch?.isUnchanged == false { watch = nil }
        answers.withLock { answers in
            let watches = answers.values.count { $0.watch != nil }
            if answers.count > 256 || watches >= Self.watchLimit { answers.removeAll() }
            answers[folder] = Answer(facts: facts, begunNanoseconds: begun, watch: watch)
        }
        return facts
    }
}
