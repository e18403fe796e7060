internal import DomeModel
internal import DomePlatform
internal import Glibc

extension ToolRequirement {
    /// What is missing and what to do, for people; nil where it is there for every job to see. Blocks as the disk does.
    package func missing() -> String? {
        var remark = ""
        for name in names {
            switch look(for: name) {
            case .there: return nil
            case .elsewhere(let path): remark = " (\(name) leads to \(path), which no job sees)"
            case .absent: break
            }
        }
        let noun =
            switch kind {
            case .program: ""
            case .pythonModule: "the Python module "
            case .file: "the file "
            }
        return "needs \(noun)\(names.joined(separator: " or "))\(remark): install the package \(package)"
    }

    private enum Finding {
        case there
        case elsewhere(String)
        case absent
    }

    private func look(for name: String) -> Finding {
        switch kind {
        case .file: return Self.see(name) { _ in true }
        case .program:
            var best = Finding.absent
            for folder in folders {
                let found = Self.see(folder + "/" + name) { $0.st_mode & S_IFMT == S_IFREG && $0.st_mode & 0o111 != 0 }
                if case .there = found { return found }
                if case .elsewhere = found { best = found }
            }
            return best
        case .pythonModule: return Self.isModule(name) ? .there : .absent
        }
    }

    /// What lies at `path`, links followed as a job would follow them.
    private static func see(_ path: String, _ isRight: (stat) -> Bool) -> Finding {
        var status = stat()
        guard stat(path, &status) == 0, isRight(status), let resolved = CatalogReader.resolved(path) else {
            return .absent
        }
        return jobFolders.contains { PathText.contains($0, resolved) } ? .there : .elsewhere(resolved)
    }

    /// What every job sees of the host (the room CJail, root.c).
    private static let jobFolders = ["/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"]

    /// Whether Python 3, as the distribution installs it, would find the module: a folder, a source or an extension.
    private static func isModule(_ name: String) -> Bool {
        var parts = name.split(separator: ".").map(String.init)
        guard let last = parts.popLast() else { return false }
        let inner = parts.map { "/" + $0 }.joined()
        return moduleFolders().contains { base in
            let folder = base + inner
            if Files.isDirectory(folder + "/" + last) || Files.exists(folder + "/" + last + ".py") { return true }
            guard let names = try? Files.list(folder) else { return false }
            return names.contains { $0.hasPrefix(last + ".") && $0.hasSuffix(".so") }
        }
    }

    private static func moduleFolders() -> [String] {
        var folders: [String] = []
        for library in ["/usr/local/lib", "/usr/lib", "/usr/lib64"] {
            let versions = (try? Files.list(library)) ?? []
            for version in versions where version.hasPrefix("python3") {
                let base = library + "/" + version
                folders += [base + "/dist-packages", base + "/site-packages", base, base + "/lib-dynload"]
            }
        }
        return folders.filter { Files.isDirectory($0) }
    }
}
