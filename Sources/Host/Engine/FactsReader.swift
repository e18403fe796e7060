package import DomeAsync
internal import DomeModel
internal import DomePlatform
internal import Synchronization

/// Does what takes time and nobody should wait for: git, the host, folders made ahead. On a thread of its own and never for long: a
/// repository on a dead network mount must not hold a job up. What git answers is kept for a short time per folder,
/// so that a thousand jobs from one place ask once.
package actor FactsReader {
    private let executor: LoopExecutor
    private struct Answer {
        var facts: GitFacts
        var takenNanoseconds: Int64
    }

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

    /// What is known of `folder` from a moment ago; from any thread, without waiting.
    package nonisolated func known(_ folder: String) -> GitFacts? {
        answers.withLock { answers in
            guard let answer = answers[folder],
                Clock.monotonicNanoseconds() - answer.takenNanoseconds < Self.freshNanoseconds
            else { return nil }
            return answer.facts
        }
    }

    /// The facts of the repository around `folder`; blocks only this actor's thread.
    package func facts(of folder: String) -> GitFacts {
        if let facts = known(folder) { return facts }
        let facts = GitFacts.read(folder)
        answers.withLock { answers in
            if answers.count > 256 { answers.removeAll() }
            answers[folder] = Answer(facts: facts, takenNanoseconds: Clock.monotonicNanoseconds())
        }
        return facts
    }
}
