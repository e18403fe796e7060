import DomeModel
import Glibc

/// What lies in a project and tells programs outside of the sandbox what to execute: git its hooks, editors and agents
/// their tasks and servers. Who grants a project for writing has its source in mind; so these are there to be read
/// only, unless the policy allows more.
enum ProjectGuards {
    private static let repositories = [".git", ".hg"]
    private static let settings = [".agents", ".claude", ".codex", ".cursor", ".gemini", ".vscode"]
    /// Below an agent's folder, and sources all the same.
    private static let worktrees = "worktrees"

    /// Those of `folder`, to be mounted over what it grants. Each is a mount point then and cannot be moved away. A link
    /// is left alone: what it leads to is elsewhere, and was not granted.
    static func mounts(in folder: String) -> [Mount] {
        (repositories + settings).compactMap { name in
            let path = folder + "/" + name
            var status = stat()
            guard lstat(path, &status) == 0 else { return nil }
            let type = status.st_mode & S_IFMT
            // A worktree's .git is a file.
            guard type == S_IFDIR || type == S_IFREG else { return nil }
            return Mount(
                source: path, target: path, isWritable: false, device: UInt64(status.st_dev),
                inode: UInt64(status.st_ino))
        }
    }

    /// The part of `path` that is guarded, or nil. `path` is absolute and resolved.
    static func guarded(in path: String) -> String? {
        var current = ""
        let parts = path.utf8.split(separator: UInt8(ascii: "/")).map { String(Substring($0)) }
        for (index, part) in parts.enumerated() {
            current += "/" + part
            let next = index + 1 < parts.count ? parts[index + 1] : ""
            if repositories.contains(part) || settings.contains(part) && next != worktrees { return current }
        }
        return nil
    }
}
