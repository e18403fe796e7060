internal import DomeCatalog
internal import DomeModel
package import DomePlatform
internal import Glibc

/// Where plugins lie, and whether anything there has changed.
package struct PluginSearch: Sendable {
    /// First come, first served; they need not exist.
    package let path: [String]
    let directories: Directories

    private static let filesLimit = 64

    /// `$DOME_PLUGIN_PATH` (colon-separated), the user's data folder, beside the executables, the system's.
    package init(directories: Directories, executableDirectory: String, variable: String?) {
        self.directories = directories
        path =
            (variable ?? "").split(separator: ":").map(String.init).filter { $0.hasPrefix("/") } + [
                directories.data + "/plugins", executableDirectory + "/../lib/dome/plugins",
                "/usr/local/lib/dome/plugins", "/usr/lib/dome/plugins",
            ]
    }

    /// Folders with a plugin.json, links resolved, each once, in order.
    func folders() -> [String] {
        var found: [String] = []
        var seen: Set<String> = []
        for place in path {
            // Hidden names are those of installations under way.
            for name in (try? Files.list(place)) ?? [] where !name.hasPrefix(".") {
                let folder = place + "/" + name
                guard Files.exists(folder + "/plugin.json"), let resolved = Self.resolved(folder),
                    seen.insert(resolved).inserted
                else { continue }
                found.append(resolved)
            }
        }
        return found
    }

    private static func resolved(_ path: String) -> String? {
        guard let pointer = realpath(path, nil) else { return nil }
        defer { free(pointer) }
        return String(cString: pointer)
    }

    /// Changes with any file of a plugin and any of the user's decisions.
    func stamps() -> [FileStamp] {
        var stamps: [FileStamp] = []
        func add(_ folder: ListedFolder) {
            stamps.append(FileStamp(folder.status))
            for name in folder.names().prefix(Self.filesLimit) { stamps.append(FileStamp(folder.status(of: name))) }
        }
        for place in path {
            let plugins = ListedFolder(place)
            stamps.append(FileStamp(plugins?.status))
            for name in plugins?.names() ?? [] where !name.hasPrefix(".") {
                guard let plugins, let folder = ListedFolder(name, in: plugins) else { continue }
                if folder.status(of: PluginFile.name) != nil { add(folder) }
            }
        }
        ListedFolder(directories.config + "/plugins").map(add)
        stamps.append(FileStamp(path: directories.config + "/policy.json"))
        return stamps
    }

    /// Whoever can write a plugin's files decides what other users' jobs do.
    static func refuseForeignWriters(_ path: String) throws(DomeError) {
        var status = stat()
        guard stat(path, &status) == 0 else { throw .system("look at \(path)", errno) }
        guard status.st_mode & S_IWOTH == 0 else {
            throw DomeError(.invalidRequest, "\(path) is writable by every user of this machine: chmod o-w it")
        }
        guard [0, geteuid(), ownersOfPrograms].contains(status.st_uid) else {
            throw DomeError(.invalidRequest, "\(path) belongs to user \(status.st_uid): it must be yours or root's")
        }
    }

    /// Who can replace this program can do anything that a plugin of his could.
    private static let ownersOfPrograms: uid_t = {
        var status = stat()
        return stat("/proc/self/exe", &status) == 0 ? status.st_uid : geteuid()
    }()

    /// Device and inode of a folder.
    static func identity(_ path: String) -> (device: UInt64, inode: UInt64) {
        var status = stat()
        guard stat(path, &status) == 0 else { return (0, 0) }
        return (UInt64(status.st_dev), UInt64(status.st_ino))
    }
}
