import DomeModel
import DomePlatform
import Glibc

/// Changes to files of somebody else's, all known before the first is made.
struct FileChanges {
    struct Change {
        var path: String
        /// Nil: it is not there.
        var before: String?
        /// Nil: it goes away.
        var after: String?
        /// Whether the old text is kept beside it.
        var isBackedUp: Bool

        var verb: String {
            before == after ? "keep" : before == nil ? "create" : after == nil ? "remove" : "change"
        }
    }

    private(set) var changes: [Change] = []
    private static let limitBytes = 16 << 20
    static let backupSuffix = ".before-dome"

    /// What the file has now; nil if there is none.
    static func text(_ path: String) throws(CommandFailure) -> String? {
        guard Files.exists(path) else { return nil }
        let bytes = try local { () throws(DomeError) in try Files.read(path, limitBytes: limitBytes) }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure("\(path) is not valid UTF-8; nothing was changed", status: ExitStatus.dataError)
        }
        return text
    }

    /// Plans that the file has this text from then on; nil: that it is gone.
    mutating func plan(_ path: String, _ text: String?, backUp: Bool = false) throws(CommandFailure) {
        let before = try Self.text(path)
        if before == nil, text == nil { return }
        changes.append(Change(path: path, before: before, after: text, isBackedUp: backUp))
    }

    /// Whether anything is to be done.
    var isEmpty: Bool { changes.allSatisfy { $0.before == $0.after } }

    /// Makes the changes.
    func apply() throws(CommandFailure) {
        for change in changes where change.before != change.after {
            guard let after = change.after else {
                unlink(change.path)
                removeEmptyFolders(above: change.path)
                continue
            }
            // A link is written through: people keep their settings elsewhere and link to them.
            let target = Self.resolved(change.path)
            var status = stat()
            let mode = stat(target, &status) == 0 ? status.st_mode & 0o7777 : 0o644
            try local { () throws(DomeError) in
                if let slash = target.lastIndex(of: "/") {
                    try Files.makeDirectories(String(target[..<slash]), mode: 0o755)
                }
                if change.isBackedUp, let before = change.before {
                    try Files.writeAtomically(change.path + Self.backupSuffix, Array(before.utf8), mode: mode)
                }
                try Files.writeAtomically(target, Array(after.utf8), mode: mode)
            }
            // What was there keeps its mode, whatever the umask is.
            if change.before != nil { chmod(target, mode) }
        }
    }

    private static func resolved(_ path: String) -> String {
        guard let pointer = realpath(path, nil) else { return path }
        defer { free(pointer) }
        return String(cString: pointer)
    }

    /// Up to three of them; one with something in it stays.
    private func removeEmptyFolders(above path: String) {
        var path = path
        for _ in 0..<5 {
            guard let slash = path.lastIndex(of: "/"), slash != path.startIndex else { return }
            path = String(path[..<slash])
            guard rmdir(path) == 0 else { return }
        }
    }

    /// For people: what is or would be done, with the lines that come and go in files of theirs.
    func text(isDryRun: Bool) -> String {
        var output = ""
        for change in changes {
            output += "\(change.verb)  \(Rendered.line(change.path))\n"
            guard isDryRun, change.isBackedUp, change.before != change.after else { continue }
            for (mark, line) in Self.difference(change.before ?? "", change.after ?? "") {
                output += "    \(mark) \(Rendered.line(line))\n"
            }
        }
        return output
    }

    private static func difference(_ before: String, _ after: String) -> [(String, String)] {
        let old = before.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let new = after.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        return new.difference(from: old).map { change in
            switch change {
            case .insert(_, let line, _): ("+", line)
            case .remove(_, let line, _): ("-", line)
            }
        }
    }

    var json: JSONValue {
        .array(changes.map { ["action": .string($0.verb), "path": .string($0.path)] })
    }
}
