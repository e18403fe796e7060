internal import DomeAsync
internal import DomePlatform

/// Programs that were found a moment ago, so that not every job looks again. What has gone since is found out at exec.
@Core
final class KnownPrograms {
    /// By what was looked for; when it was found, monotonic.
    private var found: [String: Int64] = [:]
    private static let lifeNanoseconds: Int64 = 1_000_000_000
    private static let countLimit = 256

    nonisolated init() {}

    func contains(_ search: ProgramSearch) -> Bool {
        guard let since = found[search.key] else { return false }
        return Clock.monotonicNanoseconds() - since < Self.lifeNanoseconds
    }

    func add(_ search: ProgramSearch) {
        if found.count >= Self.countLimit { found.removeAll(keepingCapacity: true) }
        found[search.key] = Clock.monotonicNanoseconds()
    }
}
