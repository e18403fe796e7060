import DomeModel
import DomePlatform
import Glibc

/// Reads all registry folders, and from then on what changed in them.
struct CatalogReader: Sendable {
    let searchPath: [String]
    /// Nil for one that is read once.
    let watch: RegistryWatch?
    private(set) var folders: [RegistryFolder] = []

    init(_ searchPath: [String], isWatching: Bool) {
        self.searchPath = searchPath
        watch = isWatching ? RegistryWatch() : nil
        readAll()
    }

    mutating func readAll() {
        for folder in folders { forget(folder) }
        var seen: Set<String> = []
        folders = searchPath.compactMap { registry in
            let path = Self.place(registry)
            return seen.insert(path).inserted ? RegistryFolder(registry, watch: watch) : nil
        }
    }

    /// What was read before with what has changed since; nil if nothing did.
    mutating func update(_ snapshot: CatalogSnapshot) -> CatalogSnapshot? {
        guard let watch else {
            readAll()
            return CatalogSnapshot(folders)
        }
        guard !isMoved, case .some(let changed) = watch.changes() else {
            readAll()
            return CatalogSnapshot(folders)
        }
        guard !changed.isEmpty else { return nil }
        // The registry's own folder is another one, or others may write to it now: all of it is judged anew.
        guard !folders.contains(where: { changed[$0.path]?.contains("") == true }) else {
            readAll()
            return CatalogSnapshot(folders)
        }
        var ids: Set<String> = []
        for index in folders.indices {
            let path = folders[index].path
            let inner = changed.keys.compactMap { Self.name($0, in: path) }
            let names = Set(inner).union(changed[path] ?? [])
            for name in names {
                folders[index].read(name, watch: watch)
                ids.insert(String(name.prefix { $0 != "@" }))
            }
        }
        return ids.isEmpty ? nil : snapshot.updated(folders, ids: ids)
    }

    /// Whether another folder lies at a place of the search path than was read: one that came, went or was replaced.
    private var isMoved: Bool {
        var seen: Set<String> = []
        let places = searchPath.map(Self.place).filter { seen.insert($0).inserted }
        return places != folders.map(\.path) || folders.contains { $0.identity != FolderIdentity($0.path) }
    }

    /// The name of a folder that lies right in `registry`. What is deeper belongs to another registry that lies in this
    /// one. By bytes: what a character is, the kernel does not ask.
    private static func name(_ folder: String, in registry: String) -> String? {
        guard folder != registry, PathText.contains(registry, folder) else { return nil }
        let rest = folder.utf8.dropFirst(registry.utf8.count + 1)
        return rest.contains(UInt8(ascii: "/")) ? nil : String(decoding: rest, as: UTF8.self)
    }

    private func forget(_ folder: RegistryFolder) {
        watch?.remove(folder.path)
        for name in folder.entries.keys { watch?.remove(folder.path + "/" + name) }
    }

    /// A relative path stays what it is, to be refused: it would be another place for each process.
    private static func place(_ registry: String) -> String {
        let place = registry + "/tools"
        return registry.hasPrefix("/") ? resolved(place) ?? place : place
    }

    static func resolved(_ path: String) -> String? {
        guard let pointer = realpath(path, nil) else { return nil }
        defer { free(pointer) }
        return String(cString: pointer)
    }
}
