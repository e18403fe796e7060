internal import DomePlatform

/// What has to stay as it is for git's answers to stay true.
extension GitFacts {
    /// A repository with more folders is asked anew each time.
    private static let folderLimit = 8_192
    private static let namesLimitBytes = 32 << 20

    /// Watches the repository around `folder`: every folder with a file that git tracks or would add, and git's own
    /// with the commit, the index and the settings. Nil when that cannot be done, or would not be enough.
    static func watch(_ folder: String) -> FolderWatch? {
        let places = ["rev-parse", "--path-format=absolute", "--show-toplevel", "--git-dir", "--git-common-dir"]
        guard let found = lines(ask(folder, places)), found.count == 3 else { return nil }
        let (top, own, common) = (found[0], found[1], found[2])
        // What a submodule's commit is stands in folders of its own.
        guard !Files.exists(top + "/.gitmodules") else { return nil }
        let question = ["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--full-name", ":/"]
        guard let names = ask(folder, question, limitBytes: namesLimitBytes), names.exitCode == 0,
            names.output.count < namesLimitBytes
        else { return nil }
        var folders: Set<String> = [top, own, common, common + "/refs/heads"]
        if let branch = lines(ask(folder, ["symbolic-ref", "--quiet", "HEAD"]))?.first {
            addParents(of: branch, below: common, to: &folders)
        }
        for name in names.output.split(separator: 0) {
            addParents(of: String(decoding: name, as: UTF8.self), below: top, to: &folders)
            guard folders.count <= folderLimit else { return nil }
        }
        return FolderWatch(folders)
    }

    /// `a/b/c` adds `TOP/a/b` and `TOP/a`.
    private static func addParents(of name: String, below top: String, to folders: inout Set<String>) {
        var rest = Substring(name)
        while let slash = rest.lastIndex(of: "/") {
            rest = rest[..<slash]
            guard folders.insert(top + "/" + rest).inserted else { return }
        }
    }
}
