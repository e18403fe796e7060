package import DomeModel

/// What a plugin was when it was installed (docs/adr/0023).
package struct PluginPin: Sendable {
    package var librarySHA256: String?
    package var manifest: JSONValue?
    package var declaration: JSONValue?
    /// Of what else lies in its folder, by path; nil where the pin says nothing of it.
    package var files: [String: String]?

    /// From the user's settings. A member that is none of these types is as good as absent.
    package init(_ pin: JSONValue) {
        librarySHA256 = pin["library_sha256"]?.stringValue
        (manifest, declaration) = (pin["manifest"], pin["declaration"])
        guard let object = pin["files"]?.objectValue else { return }
        var files: [String: String] = [:]
        for (path, sha256) in object.members { files[path] = sha256.stringValue ?? "" }
        self.files = files
    }

    /// What is to be pinned.
    package static func document(
        _ manifest: JSONValue, librarySHA256: String, _ contents: PluginContents
    ) -> JSONValue {
        ["library_sha256": .string(librarySHA256), "manifest": manifest, "files": contents.document]
    }

    /// Where a plugin differs from it, a line each. `declaration` is nil as long as it is not known.
    package func differences(
        _ file: PluginFile, librarySHA256 found: String, _ contents: PluginContents, declaration declared: JSONValue?
    ) -> [String] {
        var lines: [String] = []
        if let librarySHA256, librarySHA256 != found {
            lines.append("library \(file.library): SHA-256 \(librarySHA256) → \(found)")
        }
        if let files { lines += Self.differences(files, contents.sha256s) }
        if let manifest {
            lines += JSONDifference.list(manifest, file.document).map { "plugin.json \($0.description)" }
        }
        if let declaration, let declared {
            lines += JSONDifference.list(declaration, declared).map { "declaration \($0.description)" }
        }
        return lines
    }

    private static let differencesLimit = 16

    private static func differences(_ pinned: [String: String], _ found: [String: String?]) -> [String] {
        var lines: [String] = []
        for path in Set(pinned.keys).union(found.keys).sorted() {
            switch (pinned[path], found[path]) {
            case (let sha256?, let other??):
                if sha256 != other { lines.append("file \(path): SHA-256 \(sha256) → \(other)") }
            case (_, .some(nil)): lines.append("file \(path): is no regular file")
            case (nil, _): lines.append("file \(path): was not installed with it")
            case (_, nil): lines.append("file \(path): is gone")
            }
        }
        let rest = lines.count - differencesLimit
        return rest > 0 ? lines.prefix(differencesLimit) + ["\(rest) more files"] : lines
    }
}
