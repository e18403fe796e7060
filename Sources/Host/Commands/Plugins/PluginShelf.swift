import DomeCatalog
import DomeClient
import DomeCrypto
import DomeModel
import DomePlatform
import DomeValidator
import Glibc

/// The plugins of this machine as their folders say (docs/adr/0023-plugins-on-a-machine.md): for when no daemon runs,
/// and for install, which must know what is there.
struct PluginShelf {
    /// In order of precedence.
    let searchPath: [String]
    /// `$XDG_DATA_HOME/dome/plugins`, where install puts them.
    let own: String
    let settings: PluginSettings

    struct Entry {
        /// What the daemon would tell of it.
        var summary = PluginSummary()
        /// nil when plugin.json will not do.
        var file: PluginFile?

        var folder: String { summary.folder }
        var isShadowed: Bool { summary.state == "shadowed" }
        /// The id, or the folder's name where plugin.json cannot be read.
        var id: String { file?.id ?? String(folder.split(separator: "/").last ?? "") }
        var name: String { file?.name ?? id }
        var libraryPath: String { folder + "/" + (file?.library ?? "") }
    }

    init(_ directories: Directories, programs: String, environment: String?) {
        own = directories.data + "/plugins"
        settings = PluginSettings(folder: directories.config + "/plugins")
        searchPath =
            (environment ?? "").split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
            + [own, programs + "/../lib/dome/plugins", "/usr/local/lib/dome/plugins", "/usr/lib/dome/plugins"]
    }

    /// Those of this user and these programs.
    static func here() throws(DomeError) -> PluginShelf {
        PluginShelf(
            try Directories(), programs: try Directories.ofExecutable(),
            environment: getenv("DOME_PLUGIN_PATH").map { String(cString: $0) })
    }

    /// Everything that lies in the search path, in order.
    func entries() -> [Entry] {
        var entries: [Entry] = []
        var seen: [String: String] = [:]
        for place in searchPath {
            for name in (try? Files.list(place)) ?? []
            where !name.hasPrefix(".") && Files.exists("\(place)/\(name)/plugin.json") {
                let folder = Self.resolved("\(place)/\(name)")
                guard !entries.contains(where: { $0.folder == folder }) else { continue }
                var entry = read(folder)
                if entry.file != nil, let first = seen[entry.id] {
                    entry.summary.state = "shadowed"
                    entry.summary.reason = "\(first) has the same id and comes first"
                } else if entry.file != nil {
                    seen[entry.id] = folder
                }
                entries.append(entry)
            }
        }
        return entries
    }

    /// The one that is used of those with this id or name; E_NOT_FOUND with what there is.
    func entry(_ wanted: String) throws(DomeError) -> Entry {
        let entries = entries()
        let used = entries.filter { !$0.isShadowed }
        if let entry = used.first(where: { $0.id == wanted }) ?? used.first(where: { $0.name == wanted }) {
            return entry
        }
        let near = used.map(\.id).min { $0.distance(to: wanted) < $1.distance(to: wanted) }
        throw DomeError(
            .notFound,
            "there is no plugin '\(wanted)'" + (near.map { "; is it '\($0)'?" } ?? "")
                + " 'dome plugin list' lists them")
    }

    private func read(_ folder: String) -> Entry {
        var entry = Entry()
        entry.summary.folder = folder
        do throws(DomeError) {
            try Self.fill(&entry)
            let stored = try settings.read(entry.id)
            entry.summary.isPinned = stored["pin"] != nil
            if let pin = stored["pin"].map(PluginPin.init), let file = entry.file {
                let contents =
                    pin.files == nil ? PluginContents() : try PluginContents(of: folder, file, sha256: Self.sha256)
                entry.summary.differences = pin.differences(
                    file, librarySHA256: entry.summary.librarySHA256, contents, declaration: nil)
            }
            entry.summary.state = "ready"
            if !entry.summary.differences.isEmpty {
                entry.summary.state = "quarantined"
                entry.summary.reason = "not what was installed: " + entry.summary.differences.joined(separator: "; ")
            }
            if stored["enabled"]?.boolValue == false {
                (entry.summary.state, entry.summary.reason) = ("disabled", "by the user")
            }
        } catch {
            (entry.summary.state, entry.summary.reason) = ("refused", error.message)
        }
        return entry
    }

    /// What its files say.
    private static func fill(_ entry: inout Entry) throws(DomeError) {
        let file = try plugin(in: entry.folder)
        entry.file = file
        entry.summary.pluginID = file.id
        (entry.summary.name, entry.summary.version) = (file.name, file.version)
        (entry.summary.kind, entry.summary.title) = (file.kind.rawValue, file.title)
        entry.summary.description = file.description
        (entry.summary.permissions, entry.summary.secrets) = (file.permissionTexts, file.secrets)
        entry.summary.librarySHA256 = try sha256(entry.libraryPath)
        try StaticHandshake.check(path: entry.libraryPath)
    }

    /// The plugin.json of a folder, checked.
    static func plugin(in folder: String) throws(DomeError) -> PluginFile {
        let path = folder + "/" + PluginFile.name
        return try PluginFile(try JSONParser.parse(try Files.read(path, limitBytes: 1 << 20), what: path), what: path)
    }

    static func sha256(_ path: String) throws(DomeError) -> String { try SHA256.digest(ofFileAt: path).digest.hex }

    static func resolved(_ path: String) -> String {
        guard let found = realpath(path, nil) else { return path }
        defer { free(found) }
        return String(cString: found)
    }
}
