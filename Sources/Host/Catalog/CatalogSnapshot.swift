package import DomeModel
import Synchronization

/// One reading of the registry. Immutable for whoever holds it.
package struct CatalogSnapshot: Sendable {
    /// Another one for each reading.
    package private(set) var number = Self.next()
    /// What each id stands for when it is named without a version; sorted by id.
    package private(set) var tools: [Tool] = []
    /// What was left out, and why; sorted by path.
    package private(set) var problems: [CatalogProblem] = []
    /// Tools of a later folder that an earlier one overrides; sorted by path.
    package private(set) var shadowed: [ShadowedTool] = []
    private var toolsByID: [String: Tool] = [:]
    /// Of the ids that have several versions, all of them; the highest first.
    private var versionsByID: [String: [Tool]] = [:]

    /// All that was read.
    init(_ folders: [RegistryFolder]) {
        let names = Set(folders.flatMap(\.entries.keys))
        let versions = Self.versionNames(names)
        for id in Set(names.map { String($0.prefix { $0 != "@" }) }) { place(id, folders, versions) }
        tools = toolsByID.values.sorted { $0.manifest.id < $1.manifest.id }
        note(folders)
    }

    /// The same where only folders of these ids were read again.
    func updated(_ folders: [RegistryFolder], ids: Set<String>) -> CatalogSnapshot {
        var copy = self
        copy.number = Self.next()
        let versions = Self.versionNames(folders.flatMap(\.entries.keys).filter { $0.utf8.contains(UInt8(ascii: "@")) })
        for id in ids {
            copy.place(id, folders, versions)
            copy.put(copy.toolsByID[id], for: id)
        }
        copy.note(folders)
        return copy
    }

    /// This and the tools of plugins.
    func adding(_ plugins: [Tool]) -> CatalogSnapshot {
        var copy = self
        copy.number = Self.next()
        for tool in plugins {
            let id = tool.manifest.id
            guard copy.toolsByID[id] == nil else {
                copy.problems.append(
                    CatalogProblem(path: tool.directory, reason: "its tool \(id) is another's already"))
                continue
            }
            copy.toolsByID[id] = tool
            copy.put(tool, for: id)
        }
        copy.problems.sort { $0.path < $1.path }
        return copy
    }

    private static let count = Atomic<UInt64>(0)
    private static func next() -> UInt64 { count.add(1, ordering: .relaxed).newValue }

    // MARK: Asking

    /// The tool of that id, or of that id and version ("ID@VERSION"); nil if there is none.
    package subscript(id reference: String) -> Tool? {
        if let tool = toolsByID[reference] { return tool }
        let parts = reference.split(separator: "@", maxSplits: 1, omittingEmptySubsequences: false)
        guard let id = parts.first, parts.count == 2 else { return nil }
        return versions(of: String(id)).first { $0.manifest.version == parts[1] }
    }

    /// All versions of a tool, the highest first.
    package func versions(of id: String) -> [Tool] { versionsByID[id] ?? toolsByID[id].map { [$0] } ?? [] }

    /// The tool of that id, or E_NOT_FOUND "tool not found: ID", with the reason if it was left out.
    package func tool(_ id: String) throws(DomeError) -> Tool {
        if let tool = self[id: id] { return tool }
        let shown = String(id.prefix(128))
        if let problem = problems.first(where: { $0.path.hasSuffix("/tools/" + id) }) {
            throw DomeError(.notFound, "tool not found: \(shown) (its folder was left out: \(problem.reason))")
        }
        let name = String(id.prefix { $0 != "@" })
        let known = versions(of: name).map(\.manifest.version)
        guard known.isEmpty else {
            throw DomeError(.notFound, "tool not found: \(shown) (its versions are \(known.joined(separator: ", ")))")
        }
        // Of another version, or of none.
        let left = problems.filter { $0.path.hasSuffix("/tools/" + name) || $0.path.contains("/tools/\(name)@") }
        guard let first = left.first else { throw DomeError(.notFound, "tool not found: \(shown)") }
        throw DomeError(.notFound, "tool not found: \(shown) (\(first.path) was left out: \(first.reason))")
    }

    /// What is different from an earlier reading; the tools by id, what they were and what they are.
    package func changes(since earlier: CatalogSnapshot) -> [(id: String, before: Tool?, now: Tool?)] {
        var changes: [(id: String, before: Tool?, now: Tool?)] = []
        var (old, new) = (earlier.tools[...], tools[...])
        while let next = old.first ?? new.first {
            if let one = old.first, let other = new.first, one === other {
                old.removeFirst()
                new.removeFirst()
                continue
            }
            let id = min(old.first?.manifest.id ?? next.manifest.id, new.first?.manifest.id ?? next.manifest.id)
            let before = old.first?.manifest.id == id ? old.popFirst() : nil
            let now = new.first?.manifest.id == id ? new.popFirst() : nil
            if let before, let now, before.hashes == now.hashes { continue }
            changes.append((id, before, now))
        }
        return changes
    }

    // MARK: Putting together

    private static func versionNames(_ names: some Sequence<String>) -> [String: [String]] {
        Dictionary(grouping: names.filter { $0.utf8.contains(UInt8(ascii: "@")) }) { String($0.prefix { $0 != "@" }) }
            .mapValues { Array(Set($0)).sorted() }
    }

    /// Settles what an id stands for: its folder without a version, else the highest version that is neither a
    /// pre-release nor deprecated, else the highest.
    private mutating func place(_ id: String, _ folders: [RegistryFolder], _ versionNames: [String: [String]]) {
        func first(_ name: String) -> Tool? { folders.lazy.compactMap { $0.entries[name]?.tool }.first }
        let plain = first(id)
        var all = (versionNames[id] ?? []).compactMap(first).filter { $0.manifest.version != plain?.manifest.version }
        if let plain { all.append(plain) }
        all.sort { SemanticVersion($1.manifest.version) < SemanticVersion($0.manifest.version) }
        let usual = all.first { tool in
            tool.manifest.advice.deprecation.isEmpty && !SemanticVersion(tool.manifest.version).isPreRelease
        }
        toolsByID[id] = plain ?? usual ?? all.first
        versionsByID[id] = all.count > 1 ? all : nil
    }

    /// Puts a tool into the sorted list, in the place of the one of its id.
    private mutating func put(_ tool: Tool?, for id: String) {
        var (low, high) = (0, tools.count)
        while low < high {
            let middle = (low + high) / 2
            if tools[middle].manifest.id < id { low = middle + 1 } else { high = middle }
        }
        let isThere = low < tools.count && tools[low].manifest.id == id
        tools.replaceSubrange(low..<(isThere ? low + 1 : low), with: tool.map { [$0] } ?? [])
    }

    /// Says what was left out, and what is hidden.
    private mutating func note(_ folders: [RegistryFolder]) {
        (problems, shadowed) = ([], [])
        for (index, folder) in folders.enumerated() {
            if let problem = folder.problem { problems.append(CatalogProblem(path: folder.path, reason: problem)) }
            for (name, entry) in folder.entries {
                let path = folder.path + "/" + name
                switch entry {
                case .problem(let reason): problems.append(CatalogProblem(path: path, reason: reason))
                case .tool(let tool):
                    let used = folders[..<index].lazy.compactMap { $0.entries[name]?.tool }.first
                    if let used {
                        shadowed.append(ShadowedTool(id: name, path: path, usedPath: used.directory))
                    } else if let twin = twin(of: tool, named: name) {
                        let version = tool.manifest.version
                        problems.append(
                            CatalogProblem(path: path, reason: "version \(version) is in \(twin.directory) already"))
                    }
                }
            }
        }
        problems.sort { $0.path < $1.path }
        shadowed.sort { $0.path < $1.path }
    }

    /// The tool that has an id and version already that are in a folder of another name.
    private func twin(of tool: Tool, named name: String) -> Tool? {
        guard name.utf8.contains(UInt8(ascii: "@")) else { return nil }
        let kept = versions(of: tool.manifest.id).first { $0.manifest.version == tool.manifest.version }
        return kept === tool ? nil : kept
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
