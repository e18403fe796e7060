internal import DomeAsync
internal import DomeCatalog
internal import DomeModel
internal import DomePlatform

/// The policy as last read. Whether its file changed is asked for every job, by one stat; a policy that was
/// tightened holds for the very next request.
@Core
final class PolicyCache {
    private let path: String
    private var cached: (policy: Policy, stamp: FileStamp)?
    /// Told when the policy is another one than before, with both digests.
    var onChange: (@Core (_ before: String, _ now: String) -> Void)?

    /// Of the policy as it was last read.
    var digest: String { cached?.policy.digest ?? "unknown" }

    init(_ directories: Directories) { path = directories.config + "/policy.json" }

    /// The policy, read by `load` if it is not the one read before.
    func current(_ load: @Core () async throws(DomeError) -> Policy) async throws(DomeError) -> Policy {
        let stamp = FileStamp(path: path)
        if let cached, cached.stamp == stamp { return cached.policy }
        let policy = try await load()
        // The stamp from before the reading: a change in between is noticed next time.
        let before = cached?.policy.digest
        cached = (policy, stamp)
        if let before, before != policy.digest { onChange?(before, policy.digest) }
        return policy
    }
}

extension ToolManifest {
    /// Whether putting its permissions together, without grants, looks at paths on disk.
    var namesPaths: Bool {
        permissions.contains { permission in
            switch permission {
            case .readPath(.some), .writePath(.some): true
            default: false
            }
        }
    }
}
