import DomeModel
import DomePlatform
import Glibc

/// What `dome plugin new` starts from: a folder for each language, whose files have placeholders in their names and in
/// their text. `common` is of all languages; a language's own file of the same name stands in its place.
struct PluginTemplate {
    /// `<programs>/../share/dome/templates`.
    let folder: String
    let language: String

    /// The languages that there are templates for.
    static func languages(in folder: String) throws(DomeError) -> [String] {
        try Files.list(folder).filter { Files.exists(folder + "/" + $0 + "/Makefile") }
    }

    /// Fills it in. Path below the plugin's folder → bytes.
    func files(name: String, id: String) throws(DomeError) -> [(path: String, bytes: [UInt8])] {
        var sources: [String: String] = [:]
        for place in ["common", language] {
            for file in try Files.list(folder + "/" + place) { sources[file] = folder + "/" + place + "/" + file }
        }
        func text(_ path: String) throws(DomeError) -> String {
            String(decoding: try Files.read(path, limitBytes: 1 << 20), as: UTF8.self)
        }
        // What every Makefile has in common is put in where it is named.
        var parts = [("@NAME@", name), ("@ID@", id)]
        for (placeholder, file) in [("@HEADERS@\n", "headers.mk"), ("@TARGETS@\n", "targets.mk")] {
            guard let source = sources.removeValue(forKey: file) else { continue }
            parts.insert((placeholder, try text(source)), at: 0)
        }
        func filled(_ text: String) -> String { parts.reduce(text) { $0.replacing($1.0, with: $1.1) } }
        var files: [(path: String, bytes: [UInt8])] = []
        for (file, source) in sources.sorted(by: { $0.key < $1.key }) {
            let path = file == "gitignore" ? ".gitignore" : filled(file)
            files.append((path, Array(filled(try text(source)).utf8)))
        }
        return files
    }
}

/// Folders that are there whole or not at all.
enum WholeFolder {
    /// Makes `path` with these files in it. Something that is there already is left alone: E_INVALID_REQUEST.
    static func make(_ path: String, _ files: [(path: String, bytes: [UInt8])]) throws(DomeError) {
        let building = "\(path).new.\(Files.processID)"
        do throws(DomeError) {
            try Files.makeDirectories(building, mode: 0o755)
            for file in files {
                let output = try Files.open(building + "/" + file.path, O_WRONLY | O_CREAT | O_EXCL, mode: 0o644)
                try Files.writeAll(output, file.bytes, what: file.path)
            }
            try place(building, at: path)
        } catch {
            try? Files.removeTree(building)
            throw error
        }
    }

    /// Renames a folder to where nothing is.
    static func place(_ folder: String, at path: String) throws(DomeError) {
        var status = stat()
        // A link that leads nowhere is there as well.
        guard lstat(path, &status) != 0 else {
            throw DomeError(.invalidRequest, "\(path) is there already: remove it or choose another name")
        }
        try Files.rename(folder, to: path)
    }
}
