// Room Catalog: which tools there are and what each may do. Manifests and their schemas are read from folders,
// checked whole, and become one immutable snapshot that any thread reads without waiting; a broken tool is left
// out and reported, it never takes the others with it. The same room holds the JSON Schema validator and the
// policy that decides which grants of a caller take effect. Everything here does file I/O when asked to load;
// call that off the event loop.

package import DomeModel
package import DomePlatform
import Synchronization

/// The registry as last read. Reads are from any thread; `reload` blocks on the disk.
package final class Catalog: Sendable {
    /// The registry folders, the first has precedence.
    package let searchPath: [String]
    private let current: Mutex<CatalogSnapshot>
    private let plugins = Mutex<[Tool]>([])

    /// Reads the registry once. What is wrong with it is in `snapshot.problems`.
    package init(searchPath: [String]) {
        self.searchPath = searchPath
        current = Mutex(CatalogReader.read(searchPath))
    }

    /// The registry folders for this user: those of `$DOME_REGISTRY_PATH` (colon-separated), then
    /// `<data>/registry`, then `<executable folder>/../share/dome/registry`. They need not exist.
    package static func searchPath(
        directories: Directories, executableDirectory: String?, registryPath: String?
    ) -> [String] {
        var path = (registryPath ?? "").split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
        path.append(directories.data + "/registry")
        if let executableDirectory { path.append(executableDirectory + "/../share/dome/registry") }
        return path
    }

    /// What was last read; stays valid and unchanged for whoever holds it.
    package var snapshot: CatalogSnapshot { current.withLock { $0 } }

    /// Reads everything again and replaces the snapshot in one step. Blocks.
    @discardableResult
    package func reload() -> CatalogSnapshot { publish(CatalogReader.read(searchPath)) }

    /// Sets the tools that plugins offer. One whose id the registry has, or a plugin before it, is left out and
    /// reported.
    package func setPluginTools(_ tools: [Tool]) {
        plugins.withLock { $0 = tools }
        publish(snapshot.registry)
    }

    @discardableResult
    private func publish(_ registry: CatalogSnapshot) -> CatalogSnapshot {
        // In this order, so that whoever comes later has both as they are then.
        current.withLock { current in
            current = registry.adding(plugins.withLock { $0 })
            return current
        }
    }

    /// Reads again only if a file or folder of the registry changed (by inode, size and times); true if so.
    /// Costs a stat a file.
    package func reloadIfChanged() -> Bool {
        guard CatalogReader.fingerprint(searchPath) != snapshot.fingerprint else { return false }
        reload()
        return true
    }
}

/// One reading of the registry. Immutable.
package struct CatalogSnapshot: Sendable {
    /// Sorted by id.
    package let tools: [Tool]
    /// What was left out, and why; sorted by path.
    package let problems: [CatalogProblem]
    /// Tools of a later folder that an earlier one overrides; sorted by path.
    package let shadowed: [ShadowedTool]
    /// Changes with any file of the registry.
    let fingerprint: [UInt64]
    private let toolsByID: [String: Tool]
    /// The same without the tools of plugins.
    var registry: CatalogSnapshot { base.first ?? self }
    private let base: [CatalogSnapshot]

    /// This and the tools of plugins.
    func adding(_ plugins: [Tool]) -> CatalogSnapshot {
        guard !plugins.isEmpty else { return self }
        var (all, ids, problems) = (tools, Set(tools.map(\.manifest.id)), problems)
        for tool in plugins {
            guard ids.insert(tool.manifest.id).inserted else {
                problems.append(
                    CatalogProblem(path: tool.directory, reason: "its tool \(tool.manifest.id) is another's already"))
                continue
            }
            all.append(tool)
        }
        return CatalogSnapshot(
            tools: all, problems: problems, shadowed: shadowed, fingerprint: fingerprint, registry: self)
    }

    init(
        tools: [Tool], problems: [CatalogProblem], shadowed: [ShadowedTool], fingerprint: [UInt64],
        registry: CatalogSnapshot? = nil
    ) {
        base = registry.map { [$0] } ?? []
        self.tools = tools.sorted { $0.manifest.id < $1.manifest.id }
        self.problems = problems.sorted { $0.path < $1.path }
        self.shadowed = shadowed.sorted { $0.path < $1.path }
        self.fingerprint = fingerprint
        toolsByID = Dictionary(tools.map { ($0.manifest.id, $0) }, uniquingKeysWith: { first, _ in first })
    }

    /// The tool of that id, or nil.
    package subscript(id id: String) -> Tool? { toolsByID[id] }

    /// The tool of that id, or E_NOT_FOUND "tool not found: ID", with the reason if it was left out.
    package func tool(_ id: String) throws(DomeError) -> Tool {
        if let tool = toolsByID[id] { return tool }
        let shown = String(id.prefix(128))
        guard let problem = problems.first(where: { $0.path.hasSuffix("/tools/" + id) }) else {
            throw DomeError(.notFound, "tool not found: \(shown)")
        }
        throw DomeError(.notFound, "tool not found: \(shown) (its folder was left out: \(problem.reason))")
    }
}

/// A tool that could not be loaded.
package struct CatalogProblem: Sendable, Equatable {
    /// The tool's folder, or the registry folder.
    package let path: String
    /// For people; names file, member and what to do.
    package let reason: String
}

/// A tool that is hidden by one of the same id earlier in the search path.
package struct ShadowedTool: Sendable, Equatable {
    package let id: String
    /// The folder that is not used.
    package let path: String
    /// The folder that is.
    package let usedPath: String
}
