/// Path texts as the kernel reads them: bytes between slashes. Swift's own text functions see characters, in
/// which a slash and a combining mark after it are one, so that `../` could hide from them.
package enum PathText {
    /// Whether a component of `path` is `..`.
    package static func climbs(_ path: String) -> Bool {
        components(path).contains { $0.elementsEqual("..".utf8) }
    }

    /// Whether `path` is relative and plain: not empty, no NUL, no empty component, no `.`, no `..`.
    package static func isPlainRelative(_ path: String) -> Bool {
        guard !path.utf8.contains(0) else { return false }
        return components(path).allSatisfy { part in
            !part.isEmpty && !part.elementsEqual(".".utf8) && !part.elementsEqual("..".utf8)
        }
    }

    /// Whether `path` is `folder` or lies below it; both absolute and free of `.` and `..`.
    package static func contains(_ folder: String, _ path: String) -> Bool {
        let (outer, inner) = (folder.utf8, path.utf8)
        guard inner.starts(with: outer) else { return false }
        return inner.count == outer.count || folder == "/" || inner.dropFirst(outer.count).first == UInt8(ascii: "/")
    }

    private static func components(_ path: String) -> [Substring.UTF8View] {
        Substring(path).utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    }
}
