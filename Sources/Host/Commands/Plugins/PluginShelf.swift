import DomeCrypto
import DomeModel
import DomePlatform
import DomePluginHost
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
        enum State: String {
            case ready, disabled, shadowed, refused, quarantined
        }

        var folder: String
        var manifest: PluginManifest?
        var document: JSONValue
        var state: State
        /// Why it is in that state.
        var reason = ""
        var isPinned = false
        var librarySHA256 = ""

        /// The id, or the folder's name where plugin.json cannot be read.
        var id: String { manifest?.id ?? String(folder.split(separator: "/").last ?? "") }
        /// The first part of its tools' ids.
        var name: String {
            document["name"]?.stringValue ?? id.split(separator: ".").last.map(String.init) ?? id
        }
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
            for name in (try? Files.list(place)) ?? [] where Files.exists("\(place)/\(name)/plugin.json") {
                let folder = Self.resolved("\(place)/\(name)")
                guard !entries.contains(where: { $0.folder == folder }) else { continue }
                var entry = read(folder)
                if entry.manifest != nil, let first = seen[entry.id] {
                    (entry.state, entry.reason) = (.shadowed, "\(first) has the same id and comes first")
                } else if entry.manifest != nil {
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
        let used = entries.filter { $0.state != .shadowed }
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
        let path = folder + "/plugin.json"
        let document = (try? Files.read(path, limitBytes: 1 << 20)).flatMap { try? JSONParser.parse($0, what: path) }
        var entry = Entry(folder: folder, document: document ?? .null, state: .ready)
        do throws(DomeError) {
            let manifest = try PluginManifest.read(directory: folder)
            entry.manifest = manifest
            entry.librarySHA256 = try SHA256.digest(ofFileAt: manifest.libraryPath).digest.hex
            try StaticHandshake.check(path: manifest.libraryPath)
            let stored = try settings.read(manifest.id)
            entry.isPinned = stored["pin"] != nil
            let differences = Pin.differences(stored["pin"], entry.document, librarySHA256: entry.librarySHA256)
            if !differences.isEmpty {
                entry.state = .quarantined
                entry.reason = "not what was installed: " + differences.joined(separator: "; ")
            }
            if stored["enabled"]?.boolValue == false { (entry.state, entry.reason) = (.disabled, "by the user") }
        } catch {
            (entry.state, entry.reason) = (.refused, error.message)
        }
        return entry
    }

    static func resolved(_ path: String) -> String {
        guard let found = realpath(path, nil) else { return path }
        defer { free(found) }
        return String(cString: found)
    }
}

/// What `dome plugin install` fixes: the library's hash and plugin.json, so that neither changes unnoticed.
enum Pin {
    static func make(_ document: JSONValue, librarySHA256: String) -> JSONValue {
        ["library_sha256": .string(librarySHA256), "manifest": document]
    }

    /// Each difference with both values; none without a pin.
    static func differences(_ pin: JSONValue?, _ document: JSONValue, librarySHA256: String) -> [String] {
        var found: [String] = []
        if let pinned = pin?["library_sha256"]?.stringValue, pinned != librarySHA256 {
            found.append("the library's SHA-256 is \(librarySHA256), installed was \(pinned)")
        }
        if let pinned = pin?["manifest"] { compare(pinned, document, "", &found) }
        return found
    }

    private static func compare(_ old: JSONValue, _ new: JSONValue, _ pointer: String, _ found: inout [String]) {
        guard let left = old.objectValue, let right = new.objectValue else {
            if old != new {
                found.append(
                    "plugin.json \(pointer.isEmpty ? "(whole)" : pointer) is \(new.compact.prefix(100)), "
                        + "installed was \(old.compact.prefix(100))")
            }
            return
        }
        for key in left.keys + right.keys.filter({ left[$0] == nil }) {
            switch (left[key], right[key]) {
            case (let before?, let after?): compare(before, after, pointer + "/" + key, &found)
            case (_?, nil): found.append("plugin.json \(pointer)/\(key) is gone")
            default: found.append("plugin.json \(pointer)/\(key) is new")
            }
        }
    }
}
