internal import DomeCatalog
internal import DomeModel
internal import DomePlatform
internal import Glibc

/// What the user has decided about one plugin: `<config>/plugins/<id>.json` (docs/adr/0023).
struct PluginSettings {
    var isEnabled = true
    /// Nanoseconds since 1970; crashes before it are forgiven.
    var enabledNanoseconds: Int64 = 0
    var config: JSONObject = [:]
    var pin: PluginPin?

    /// Reads the file of `id`; one that is not there gives the defaults. Errors name file and member.
    static func read(_ directories: Directories, _ id: String) throws(DomeError) -> PluginSettings {
        let path = directories.config + "/plugins/" + id + ".json"
        var settings = PluginSettings()
        guard Files.exists(path) else { return settings }
        let document = try JSONParser.parse(try Files.read(path, limitBytes: 4 << 20), what: path)
        func fail(_ member: String, _ what: String) -> DomeError {
            DomeError(.invalidRequest, "\(path): \"\(member)\" must be \(what)")
        }
        guard let object = document.objectValue else { throw DomeError(.invalidRequest, "\(path) must be an object") }
        for (key, value) in object.members {
            switch key {
            case "enabled":
                guard let flag = value.boolValue else { throw fail(key, "true or false") }
                settings.isEnabled = flag
            case "enabled_at":
                guard let time = value.stringValue.flatMap(Timestamp.parse) else {
                    throw fail(key, "a time (RFC 3339)")
                }
                settings.enabledNanoseconds = time
            case "config":
                guard let config = value.objectValue else { throw fail(key, "an object") }
                settings.config = config
            case "pin":
                guard value.objectValue != nil else { throw fail(key, "an object") }
                settings.pin = PluginPin(value)
            case _ where key.hasPrefix("x-") || key == "$schema": break
            default: throw DomeError(.invalidRequest, "\(path): unknown member \"\(key.prefix(64))\"")
            }
        }
        return settings
    }

    /// Where the plugin differs from its pin, a line each.
    func differences(_ record: PluginRecord) -> [String] {
        guard let pin, let file = record.file else { return [] }
        return pin.differences(
            file, librarySHA256: record.librarySHA256, record.contents, declaration: record.declaration?.document)
    }

    /// The secrets of `names` that the user has set: `<config>/secrets/<id>/<NAME>`. One that others may read is
    /// refused, not used.
    static func secrets(
        _ directories: Directories, _ id: String, _ names: [String]
    ) throws(DomeError) -> [(name: String, value: [UInt8])] {
        var secrets: [(name: String, value: [UInt8])] = []
        for name in names {
            let path = directories.config + "/secrets/" + id + "/" + name
            var status = stat()
            guard stat(path, &status) == 0 else { continue }
            guard status.st_mode & S_IFMT == S_IFREG, status.st_mode & 0o077 == 0, status.st_uid == geteuid() else {
                throw DomeError(.policyDenied, "the secret \(path) may be read by others: chmod 600 it")
            }
            secrets.append((name, try Files.read(path, limitBytes: 1 << 20)))
        }
        return secrets
    }
}
