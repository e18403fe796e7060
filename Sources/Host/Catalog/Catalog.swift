// Room Catalog: which tools there are and what each may do. Manifests and their schemas are read from folders,
// checked whole, and become one immutable snapshot that any thread reads without waiting; a broken tool is left
// out and reported, it never takes the others with it. The same room holds the policy that decides which grants of a
// caller take effect. Everything here does file I/O when asked to load; call that off the event loop.

internal import DomeModel
package import DomePlatform
import Synchronization

/// The registry as last read. Reads are from any thread; `reload` blocks on the disk.
package final class Catalog: Sendable {
    /// The registry folders, the first has precedence.
    package let searchPath: [String]
    /// Readable when something in the registry's folders changed; nil where the kernel does not tell.
    package let changes: FileDescriptor?
    /// The folder of the tools that came with the programs, resolved; nil if there was none at the start.
    private let releasedFolder: String?
    private let reader: Mutex<(reader: CatalogReader, registry: CatalogSnapshot)>
    private let current: Mutex<(registry: CatalogSnapshot, plugins: [Tool], snapshot: CatalogSnapshot)>

    /// Reads the registry once. What is wrong with it is in `snapshot.problems`. `isWatching`: so that `reloadIfChanged`
    /// reads what changed; without, everything again.
    package init(searchPath: [String], isWatching: Bool = true) {
        self.searchPath = searchPath
        let reader = CatalogReader(searchPath, isWatching: isWatching)
        let registry = CatalogSnapshot(reader.folders)
        changes = reader.watch?.descriptor
        releasedFolder = searchPath.last { $0.hasSuffix(Self.released) }.flatMap {
            CatalogReader.resolved($0 + "/tools")
        }
        self.reader = Mutex((reader, registry))
        current = Mutex((registry, [], registry))
    }

    /// The registry folders for this user: those of `$DOME_REGISTRY_PATH` (colon-separated), then
    /// `<config>/registry`, `<data>/registry`, `/etc/dome/registry`, `<executable folder>/../share/dome/registry`. They
    /// need not exist; one that is not absolute is a problem of the snapshot.
    package static func searchPath(
        directories: Directories, executableDirectory: String?, registryPath: String?
    ) -> [String] {
        var path = (registryPath ?? "").split(separator: ":").map(String.init)
        path += [directories.config + "/registry", directories.data + "/registry", "/etc/dome/registry"]
        if let executableDirectory { path.append(executableDirectory + released) }
        return path
    }

    /// Whether a tool came with the programs, whose version is known, and is nobody's own.
    package func isReleased(_ tool: Tool) -> Bool {
        releasedFolder.map { PathText.contains($0, tool.directory) } ?? false
    }

    private static let released = "/../share/dome/registry"

    /// What was last read; stays valid and unchanged for whoever holds it.
    package var snapshot: CatalogSnapshot { current.withLock { $0.snapshot } }

    /// Reads everything again and replaces the snapshot in one step. Blocks.
    @discardableResult
    package func reload() -> CatalogSnapshot {
        reader.withLock { state in
            state.reader.readAll()
            state.registry = CatalogSnapshot(state.reader.folders)
            return publish(state.registry)
        }
    }

    /// Sets the tools that plugins offer. One whose id the registry has, or a plugin before it, is left out and
    /// reported.
    package func setPluginTools(_ tools: [Tool]) {
        current.withLock { current in
            current.plugins = tools
            current.snapshot = current.registry.adding(tools)
        }
    }

    @discardableResult
    private func publish(_ registry: CatalogSnapshot) -> CatalogSnapshot {
        current.withLock { current in
            current.registry = registry
            current.snapshot = registry.adding(current.plugins)
            return current.snapshot
        }
    }

    /// Reads again what changed in the registry's folders since they were last looked at; true if anything did. Costs
    /// a few dozen system calls, whatever the number of tools.
    package func reloadIfChanged() -> Bool {
        reader.withLock { state in
            guard let registry = state.reader.update(state.registry) else { return false }
            state.registry = registry
            publish(registry)
            return true
        }
    }
}
