// Room PluginHost: other people's code, let in by one door. A plugin's library is opened, questioned in a handshake
// that says exactly what does not fit, given a table of what the host offers, and driven through instances. Every
// pointer and size that comes back is checked before it is used. What cannot be checked (a wild pointer, a crash) is
// why this room is only ever linked into `domed-worker`, a process that holds one plugin and nothing of value.

package import DomeModel
internal import DomePlatform
internal import Glibc
internal import PluginABI

/// One plugin's library, opened and initialized. It stays mapped until the process ends: nothing can prove that
/// no thread, handler or pointer into it is left. Confined to the thread that made it.
package final class Plugin {
    /// The ABI version that this host speaks.
    package static let abiMajor = UInt32(DOME_ABI_MAJOR)
    package static let abiMinor = UInt32(DOME_ABI_MINOR)

    package let manifest: PluginManifest
    let host: HostContext
    private let entry: UnsafePointer<dome_entry_t>
    private var isLoaded = true

    /// Opens the plugin of `manifest`, checks its entry and calls its `init`.
    ///
    /// `isCanceled` answers for ext/cancel.h: whether the call under way is still wanted. The plugin may ask from
    /// any of its threads.
    /// Errors: E_INTERNAL naming the plugin, what differs with both values, and the remedy.
    package convenience init(
        _ manifest: PluginManifest, isCanceled: @escaping @Sendable () -> Bool = { false }
    ) throws(DomeError) {
        var services = HostServices()
        services.isCanceled = isCanceled
        try self.init(manifest, services)
    }

    /// The same with all that the host can do for a job.
    package init(_ manifest: PluginManifest, _ services: HostServices) throws(DomeError) {
        try Self.checkLibrary(manifest)
        guard let handle = dlopen(manifest.libraryPath, RTLD_NOW | RTLD_LOCAL) else {
            let reason = dlerror().map { String(cString: $0) } ?? "no reason given"
            throw manifest.refused(
                "its library cannot be loaded: \(reason)", remedy: "rebuild it as a shared library for this machine")
        }
        // What is mapped now is what was looked at, if it was that before and is that still.
        try Self.checkLibrary(manifest)
        guard let symbol = dlsym(handle, DOME_ENTRY_SYMBOL) else {
            throw manifest.refused(
                "its library exports no symbol '\(DOME_ENTRY_SYMBOL)'",
                remedy: "declare it with DOME_EXPORT, in C++ inside extern \"C\"")
        }
        let entry = try Handshake.check(UnsafeRawPointer(symbol), of: manifest)
        let host = HostContext(pluginID: manifest.id, services)
        ExtensionTables.current = host
        let directory = Array(manifest.directory.utf8)
        let accepted = directory.withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { text in
                entry.pointee.`init`?(host.handle, host.table, text.baseAddress, text.count) ?? false
            }
        }
        guard accepted else {
            throw manifest.refused("its init returned false", remedy: "see the log for what it says")
        }
        (self.manifest, self.host, self.entry) = (manifest, host, entry)
    }

    /// Refuses a library that is not the one that was looked at.
    private static func checkLibrary(_ manifest: PluginManifest) throws(DomeError) {
        guard let identity = manifest.identity, FileIdentity(path: manifest.libraryPath) != identity else { return }
        throw manifest.refused(
            "its library was replaced or written to after it had been checked", remedy: "submit again")
    }

    /// The plugin's table for a kind, or nil if it is none of that kind.
    func factory(_ id: String) -> UnsafeRawPointer? {
        guard isLoaded else { return nil }
        return ForeignText.withText(id) { text, size in entry.pointee.get_factory?(text, size) }
    }

    /// What the plugin says of itself, JSON text: its actions, its capabilities, the schema of its configuration.
    /// Errors: E_INTERNAL when table, descriptor or declaration do not fit.
    package func declaration() throws(DomeError) -> String {
        let descriptor: dome_descriptor_t
        switch manifest.kind {
        case .executor: descriptor = try Executor.open(self).descriptor
        case .adapter: descriptor = try Adapter.open(self).descriptor
        }
        return try TableCheck.declaration(descriptor, manifest)
    }

    /// Calls the plugin's `deinit`, once; destroy its instances first. The library stays mapped.
    package func unload() {
        guard isLoaded else { return }
        isLoaded = false
        entry.pointee.`deinit`?()
    }
}
