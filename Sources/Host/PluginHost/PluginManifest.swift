package import DomeModel
package import DomePlatform

/// A plugin's `plugin.json`, as far as the host needs it to load the plugin.
package struct PluginManifest: Sendable, Equatable {
    package enum Kind: String, Sendable {
        case executor
        case adapter
    }

    /// Reverse DNS, e.g. "dome.local-process".
    package var id: String
    package var version: String
    package var kind: Kind
    /// The plugin's own folder, absolute.
    package var directory: String
    /// The library's file name in that folder.
    package var library: String

    /// Which file the library must be; nil: whichever it is.
    package var identity: FileIdentity?

    package var libraryPath: String { directory + "/" + library }

    package init(id: String, version: String, kind: Kind, directory: String, library: String) {
        (self.id, self.version, self.kind) = (id, version, kind)
        (self.directory, self.library) = (directory, library)
    }

    /// Reads `directory`/plugin.json. Errors name the file and the member.
    package static func read(directory: String) throws(DomeError) -> PluginManifest {
        let path = directory + "/plugin.json"
        guard directory.utf8.first == UInt8(ascii: "/") else {
            throw DomeError(.invalidRequest, "plugin folder '\(directory)' must be an absolute path")
        }
        let document = try JSONParser.parse(try Files.read(path, limitBytes: 1 << 20), what: path)
        guard let object = document.objectValue else {
            throw DomeError(.invalidRequest, "\(path) must be a JSON object")
        }
        func text(_ name: String) throws(DomeError) -> String {
            guard let value = object[name]?.stringValue, !value.isEmpty, value.utf8.count <= 256,
                !value.utf8.contains(where: { $0 < 0x20 })
            else { throw DomeError(.invalidRequest, "\(path): \"\(name)\" must be text of 1 to 256 bytes") }
            return value
        }
        let kindName = try text("kind")
        guard let kind = Kind(rawValue: kindName) else {
            throw DomeError(.invalidRequest, "\(path): \"kind\" is '\(kindName)'; known are executor, adapter")
        }
        let library = try text("library")
        guard !library.utf8.contains(UInt8(ascii: "/")), library != "..", library != "." else {
            throw DomeError(
                .invalidRequest, "\(path): \"library\" is '\(library)'; it must be the name of a file in this folder")
        }
        return PluginManifest(
            id: try text("id"), version: try text("version"), kind: kind, directory: directory, library: library)
    }

    /// The one form of a refusal: which plugin, what is wrong, what to do.
    func refused(_ what: String, remedy: String) -> DomeError {
        DomeError(.internal, "plugin \(id) (\(libraryPath)) is refused: \(what); \(remedy)")
    }
}
