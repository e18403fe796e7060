import DomeModel
import DomePlatform
import Glibc

/// One folder of the search path, `<registry>/tools`, as it was last read: what became of each folder in it.
struct RegistryFolder: Sendable {
    /// What one tool's folder came to.
    enum Entry: Sendable {
        case tool(Tool)
        /// Why it is left out, for people.
        case problem(String)

        var tool: Tool? {
            if case .tool(let tool) = self { tool } else { nil }
        }
    }

    /// Resolved; as in the search path where there is nothing.
    let path: String
    /// Device and inode of the folder when it was opened; nil: it is not there.
    let identity: FolderIdentity?
    /// By the names of the tools' folders.
    var entries: [String: Entry] = [:]
    /// Why the folder itself could not be read.
    var problem: String?

    /// With many tools their folders are read by several threads.
    private static let manyTools = 64

    /// Reads all of it. Nothing there is no problem.
    init(_ registry: String, watch: RegistryWatch?) {
        let plain = registry + "/tools"
        guard registry.hasPrefix("/") else {
            (path, identity) = (plain, nil)
            problem =
                "\"\(registry)\" is not absolute, so nobody looks there: write the whole path in DOME_REGISTRY_PATH"
            return
        }
        path = CatalogReader.resolved(plain) ?? plain
        identity = FolderIdentity(path)
        guard identity != nil else { return }
        watch?.add(path, isLinked: false)
        do throws(DomeError) {
            try ToolFile.refuseForeignWriters(path)
            let names = try Files.list(path).filter { Self.isTool($0) && Files.isDirectory(path + "/" + $0) }
            let width = names.count < Self.manyTools ? 1 : max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
            for name in names { watch?.add(path + "/" + name, isLinked: Self.hasLinks(path + "/" + name)) }
            let read = concurrently(names.count, width: width, named: "dome-registry") { [path] index in
                Self.entry(path + "/" + names[index])
            }
            entries = Dictionary(zip(names, read)) { first, _ in first }
        } catch {
            problem = error.message
        }
    }

    /// Reads one tool's folder again, or finds that it is gone.
    mutating func read(_ name: String, watch: RegistryWatch?) {
        let folder = path + "/" + name
        guard Self.isTool(name), Files.isDirectory(folder) else {
            entries[name] = nil
            watch?.remove(folder)
            return
        }
        watch?.add(folder, isLinked: Self.hasLinks(folder))
        entries[name] = Self.entry(folder)
    }

    private static func entry(_ folder: String) -> Entry {
        do throws(DomeError) { return .tool(try ToolFolder.load(folder)) } catch { return .problem(error.message) }
    }

    /// Hidden names are editors' and version control's.
    private static func isTool(_ name: String) -> Bool { !name.hasPrefix(".") }

    /// Whether something of it is a link: what is written where that leads, nobody tells of.
    private static func hasLinks(_ folder: String) -> Bool {
        var status = stat()
        if lstat(folder, &status) == 0, status.st_mode & S_IFMT == S_IFLNK { return true }
        return ((try? Files.list(folder)) ?? []).contains { name in
            var status = stat()
            return lstat(folder + "/" + name, &status) == 0 && status.st_mode & S_IFMT == S_IFLNK
        }
    }
}

/// Which folder lies at a path.
struct FolderIdentity: Sendable, Equatable {
    private let device: UInt64
    private let inode: UInt64

    /// Of an absolute path; nil if nothing is there.
    init?(_ path: String) {
        var status = stat()
        guard path.hasPrefix("/"), stat(path, &status) == 0 else { return nil }
        (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino))
    }
}
