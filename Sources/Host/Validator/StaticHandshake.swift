package import DomeModel
internal import PluginABI

/// The handshake as far as a library's file tells: what can be refused before any of its code runs.
package enum StaticHandshake {
    /// Whether the host could load it, as far as its files tell: an ELF library for this machine, with an entry of an
    /// ABI that this dome speaks. E_INVALID_REQUEST naming the file, what is wrong, and the remedy.
    package static func check(path: String) throws(DomeError) {
        let library = try ELFLibrary(path: path)
        guard library.exports.contains(DOME_ENTRY_SYMBOL) else {
            throw DomeError(
                .invalidRequest,
                "\(path) exports no symbol '\(DOME_ENTRY_SYMBOL)'; declare it with DOME_EXPORT, in C++ inside extern \"C\""
            )
        }
        guard let entry = library.entry, entry.magic == DOME_ENTRY_MAGIC else {
            throw DomeError(
                .invalidRequest,
                "\(path): \(DOME_ENTRY_SYMBOL) does not begin with dome's magic number; begin it with DOME_ENTRY_HEADER, "
                    + "as a constant")
        }
        let (major, minor) = (UInt32(DOME_ABI_MAJOR), UInt32(DOME_ABI_MINOR))
        guard dome_abi_is_loadable(major, minor, entry.abiMajor, entry.abiMinor) else {
            throw DomeError(
                .invalidRequest,
                "\(path) was built for plugin ABI \(entry.abiMajor).\(entry.abiMinor), this dome has \(major).\(minor); "
                    + (entry.abiMajor > major ? "install a newer dome" : "rebuild it against this dome's headers"))
        }
        let needed = UInt64(MemoryLayout<dome_entry_t>.size)
        guard entry.structSize >= needed else {
            throw DomeError(
                .invalidRequest,
                "\(path): \(DOME_ENTRY_SYMBOL).struct_size is \(entry.structSize), this dome's is \(needed); set it to "
                    + "sizeof(dome_entry_t)")
        }
    }
}
