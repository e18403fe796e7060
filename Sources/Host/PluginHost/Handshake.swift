internal import DomeModel
internal import PluginABI

/// The questions asked of an entry before anything in it is called. Each is asked only when the answers before it
/// make it safe to: a struct of unknown origin is read member by member, never as a whole.
enum Handshake {
    /// The entry at `address`, if every member is as it must be.
    static func check(
        _ address: UnsafeRawPointer, of manifest: PluginManifest
    ) throws(DomeError) -> UnsafePointer<dome_entry_t> {
        guard Int(bitPattern: address) % MemoryLayout<dome_entry_t>.alignment == 0 else {
            throw manifest.refused("dome_plugin_entry is misaligned", remedy: "export a dome_entry_t from entry.h")
        }
        try checkMagic(address, manifest)
        try checkVersion(address, manifest)
        try checkSize(address, manifest)
        let entry = address.assumingMemoryBound(to: dome_entry_t.self)
        let functions = [
            ("init", entry.pointee.`init` != nil), ("deinit", entry.pointee.`deinit` != nil),
            ("get_factory", entry.pointee.get_factory != nil),
        ]
        for (name, isSet) in functions where !isSet {
            throw manifest.refused("dome_plugin_entry.\(name) is NULL", remedy: "set all functions of dome_entry_t")
        }
        return entry
    }

    private static func checkMagic(_ address: UnsafeRawPointer, _ manifest: PluginManifest) throws(DomeError) {
        let magic = address.load(as: UInt64.self)
        guard magic == DOME_ENTRY_MAGIC else {
            throw manifest.refused(
                "dome_plugin_entry.magic is \(hex(magic)), the host's is \(hex(DOME_ENTRY_MAGIC))",
                remedy: "begin the struct with DOME_ENTRY_HEADER and build for this machine's byte order")
        }
    }

    private static func checkVersion(_ address: UnsafeRawPointer, _ manifest: PluginManifest) throws(DomeError) {
        let (hostMajor, hostMinor) = (UInt32(DOME_ABI_MAJOR), UInt32(DOME_ABI_MINOR))
        let major = address.load(fromByteOffset: 8, as: UInt32.self)
        let minor = address.load(fromByteOffset: 12, as: UInt32.self)
        guard !dome_abi_is_loadable(hostMajor, hostMinor, major, minor) else { return }
        let isNewer = (major, minor) > (hostMajor, hostMinor)
        let field = major != hostMajor ? "abi_major" : "abi_minor"
        throw manifest.refused(
            "dome_plugin_entry.\(field) differs: it was built for ABI \(major).\(minor), the host's is "
                + "\(hostMajor).\(hostMinor)",
            remedy: isNewer ? "install a newer dome" : "rebuild it against this dome's headers")
    }

    /// A table shorter than the host's is from before the ABI's freeze, or not filled in.
    private static func checkSize(_ address: UnsafeRawPointer, _ manifest: PluginManifest) throws(DomeError) {
        let needed = MemoryLayout<dome_entry_t>.size
        let remedy = "set it to sizeof(dome_entry_t) and rebuild it against this dome's headers"
        let size = address.load(fromByteOffset: 16, as: UInt.self)
        guard size >= needed else {
            throw manifest.refused(
                "dome_plugin_entry.struct_size is \(size), the host's is \(needed)", remedy: remedy)
        }
    }

    private static func hex(_ number: UInt64) -> String { "0x" + String(number, radix: 16) }
}
