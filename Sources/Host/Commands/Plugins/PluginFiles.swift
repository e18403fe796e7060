import DomeCatalog
import DomeModel
import DomePlatform
import Glibc

/// A plugin's files, copied and put in their place.
enum PluginFiles {
    /// Copies plugin.json, the library and what plugin.json lists into a new folder `target`.
    static func copy(_ file: PluginFile, from folder: String, to target: String) throws(DomeError) {
        try Files.makeDirectories(target, mode: 0o755)
        let listed = file.files.map { ($0, UInt32(0o644)) }
        for (name, mode) in [("plugin.json", UInt32(0o644)), (file.library, UInt32(0o755))] + listed {
            if let slash = name.lastIndex(of: "/") {
                try Files.makeDirectories("\(target)/\(name[..<slash])", mode: 0o755)
            }
            let bytes = try Files.read("\(folder)/\(name)", limitBytes: 512 << 20)
            try Files.writeAtomically("\(target)/\(name)", bytes, mode: mode)
        }
    }

    /// Puts the folder `new` where `path` is; what was there is moved away first, and back if that fails.
    static func exchange(_ new: String, at path: String) throws(DomeError) {
        let old = new + ".old"
        let hadOne = Files.exists(path)
        if hadOne { try Files.rename(path, to: old) }
        do throws(DomeError) { try Files.rename(new, to: path) } catch {
            if hadOne { try Files.rename(old, to: path) }
            throw error
        }
        if hadOne { try Files.removeTree(old) }
    }
}
