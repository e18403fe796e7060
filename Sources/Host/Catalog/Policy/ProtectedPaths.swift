import Glibc

/// Paths that a grant must not reach: neither they, nor what is below, nor a folder above. `SensitivePaths` has which.
struct ProtectedPaths: Sendable {
    private let paths: [String]

    init(_ paths: [String]) { self.paths = paths }

    /// The protected path that granting `path` would open, or nil. `path` is absolute and resolved. Looks at the
    /// disk, so that neither a symbolic link, a bind mount nor another spelling gets round the list. Costs a stat
    /// for each path of the list, more for those that exist.
    func opened(by path: String) -> String? {
        let granted = Self.ancestors(of: path).map { FileIdentity(path: $0) }
        guard let target = granted.last ?? nil else { return path }
        var compared: Set<String> = []
        for protected in paths {
            if Self.overlap(path, protected) { return protected }
            guard let identity = FileIdentity(path: protected, followsLinks: true) else { continue }
            if granted.contains(identity) { return protected }
            guard let resolved = CatalogReader.resolved(protected) else { continue }
            if Self.overlap(path, resolved) { return protected }
            for folder in Self.ancestors(of: resolved) where compared.insert(folder).inserted {
                if FileIdentity(path: folder) == target { return protected }
            }
        }
        return nil
    }

    private static func overlap(_ left: String, _ right: String) -> Bool {
        contains(left, right) || contains(right, left)
    }

    /// Whether `inner` is `outer` or lies below it. By bytes, as the kernel compares: String's own comparison takes
    /// a combining character after a slash for another character, and composed for decomposed letters.
    static func contains(_ outer: String, _ inner: String) -> Bool {
        guard inner.utf8.starts(with: outer.utf8) else { return false }
        let rest = inner.utf8.dropFirst(outer.utf8.count)
        return rest.isEmpty || outer == "/" || rest.first == UInt8(ascii: "/")
    }

    /// `/a`, `/a/b`, `/a/b/c`.
    private static func ancestors(of path: String) -> [String] {
        var ancestors: [String] = []
        var current = ""
        for part in path.utf8.split(separator: UInt8(ascii: "/")) {
            current += "/" + String(Substring(part))
            ancestors.append(current)
        }
        return ancestors
    }
}

/// A file or folder, however it is called.
struct FileIdentity: Equatable {
    private let device: UInt64
    private let inode: UInt64

    init?(path: String, followsLinks: Bool = false) {
        var status = stat()
        guard (followsLinks ? stat(path, &status) : lstat(path, &status)) == 0 else { return nil }
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
    }
}
