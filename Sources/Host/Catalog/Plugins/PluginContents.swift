package import DomeModel
package import DomePlatform
internal import Glibc

/// What a plugin's folder holds besides plugin.json and the library: whatever the plugin may open there.
package struct PluginContents: Sendable, Equatable {
    /// Of each regular file, by its path from the folder; nil for what is no regular file. Bytes that no listed file may
    /// have in its name are spelled %XX.
    package private(set) var sha256s: [String: String?] = [:]
    /// plugin.json, the folders that were looked through, and the files; absolute.
    package private(set) var paths: [String] = []
    /// Of `paths`, from before they were looked at.
    package private(set) var stamps: [FileStamp] = []

    package init() {}

    /// Whether anything there has changed since.
    package var isOutdated: Bool { paths.map(FileStamp.init(path:)) != stamps }

    private static let entriesLimit = 1_000
    private static let depthLimit = 8

    /// All of it. E_INVALID_REQUEST where there is more than is looked at.
    package init(
        of folder: String, _ file: PluginFile, sha256: (String) throws(DomeError) -> String
    ) throws(DomeError) {
        note("\(folder)/\(PluginFile.name)")
        var folders = [""]
        while let inner = folders.popLast() {
            note(inner.isEmpty ? folder : "\(folder)/\(inner)")
            for name in try Files.list("\(folder)/\(inner)") {
                let path = inner.isEmpty ? name : "\(inner)/\(name)"
                if path == PluginFile.name || path == file.library { continue }
                guard sha256s.count + paths.count < Self.entriesLimit else {
                    throw DomeError(
                        .invalidRequest,
                        "\(folder) holds more than \(Self.entriesLimit) files and folders, too many to be pinned")
                }
                var status = stat()
                guard lstat("\(folder)/\(path)", &status) == 0 else {
                    sha256s[Self.spelled(path)] = .some(nil)
                    continue
                }
                switch status.st_mode & S_IFMT {
                case S_IFDIR:
                    guard path.utf8.count(where: { $0 == UInt8(ascii: "/") }) < Self.depthLimit else {
                        throw DomeError(.invalidRequest, "\(folder)/\(path) lies too deep to be pinned")
                    }
                    folders.append(path)
                case S_IFREG: try add(path, in: folder, sha256)
                default: sha256s[Self.spelled(path)] = .some(nil)
                }
            }
        }
    }

    /// Of the files that plugin.json lists alone.
    package init(
        listedBy file: PluginFile, in folder: String, sha256: (String) throws(DomeError) -> String
    ) throws(DomeError) {
        note("\(folder)/\(PluginFile.name)")
        for path in file.files {
            guard Files.isRegularFile("\(folder)/\(path)") else {
                throw DomeError(
                    .invalidRequest, "\(folder)/\(path), which plugin.json lists in \"files\", is no file that is there"
                )
            }
            try add(path, in: folder, sha256)
        }
    }

    private mutating func add(
        _ path: String, in folder: String, _ sha256: (String) throws(DomeError) -> String
    ) throws(DomeError) {
        note("\(folder)/\(path)")
        sha256s[Self.spelled(path)] = try sha256("\(folder)/\(path)")
    }

    private mutating func note(_ path: String) {
        stamps.append(FileStamp(path: path))
        paths.append(path)
    }

    /// Two names that read the same would be one key.
    private static func spelled(_ path: String) -> String {
        guard path.utf8.contains(where: { $0 <= 0x20 || $0 >= 0x7f || $0 == UInt8(ascii: "%") }) else { return path }
        var text = ""
        for byte in path.utf8 {
            let isPlain = byte > 0x20 && byte < 0x7f && byte != UInt8(ascii: "%")
            text += isPlain ? String(Unicode.Scalar(byte)) : "%" + String(Int(byte) + 256, radix: 16).dropFirst()
        }
        return text
    }

    /// For a pin.
    package var document: JSONValue {
        var object = JSONObject()
        for (path, sha256) in sha256s.sorted(by: { $0.key < $1.key }) { object[path] = .string(sha256 ?? "") }
        return .object(object)
    }
}
