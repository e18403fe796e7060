internal import DomeModel
internal import DomePlatform
internal import Glibc

/// What a job is granted when its call names nothing: of the user's settings that which the tool asks for. The policy then
/// decides as it does of any grant.
enum UsualGrants {
    private static let place = "{cwd}"

    /// - Parameter folder: the client's, if this process was started by it; nil leaves out what is about it.
    static func of(_ settings: [String], for tool: ToolFacts, folder: String?) -> [String] {
        settings.compactMap { grant in
            guard tool.mayBeGivenUnasked(grant) else { return nil }
            guard grant.hasSuffix(place) else { return grant }
            return folder.map { grant.dropLast(place.count) + $0 }
        }
    }

    /// Where this process was started; nil if that has no path.
    static func startFolder() -> String? {
        guard let pointer = getcwd(nil, 0) else { return nil }
        defer { free(pointer) }
        // "(unreachable)…" lies outside of this process's root.
        guard let path = String(validatingCString: pointer), path.hasPrefix("/") else { return nil }
        return path
    }
}

extension ToolFacts {
    /// Whether it asks for such a grant. One that reaches the network or others' sockets by itself gets no files unless
    /// the call names them: to read and to send is a decision.
    fileprivate func mayBeGivenUnasked(_ grant: String) -> Bool {
        for kind in ["fs.read:", "fs.write:"] where grant.hasPrefix(kind) {
            return permissions.contains(kind + "*") && !reachesOthers
        }
        return permissions.contains(grant)
    }
}
