import DomeModel
import DomePlatform
import Glibc

/// What the user decides about plugins: `$XDG_CONFIG_HOME/dome/plugins/<id>.json`, which people may write too; members
/// that are not known here are kept.
struct PluginSettings {
    let folder: String

    func path(_ id: String) -> String { "\(folder)/\(id).json" }

    /// The members; none if there is no file.
    func read(_ id: String) throws(DomeError) -> JSONObject {
        let path = path(id)
        guard Files.exists(path) else { return JSONObject() }
        let document = try JSONParser.parse(try Files.read(path, limitBytes: 4 << 20), what: path)
        guard let object = document.objectValue else {
            throw DomeError(.invalidRequest, "\(path) must be a JSON object: correct it or remove it")
        }
        return object
    }

    /// Lets `body` change the members, and replaces the file in one step; a file of nothing is removed.
    func change(_ id: String, _ body: (inout JSONObject) -> Void) throws(DomeError) {
        var object = try read(id)
        body(&object)
        let path = path(id)
        guard !object.isEmpty else {
            guard unlink(path) == 0 || errno == ENOENT else { throw .system("remove \(path)", errno) }
            return
        }
        try Files.makeDirectories(folder)
        try Files.writeAtomically(path, Array(JSONValue.object(object).indented.utf8))
    }
}
