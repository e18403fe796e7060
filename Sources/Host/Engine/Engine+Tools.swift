internal import DomeAsync
internal import DomeCatalog
package import DomeModel
internal import DomePlatform

// What is asked about tools, and how the registry is kept up to date.
extension Engine {
    /// Tools as the registry is now: by id, or the best first where there are words to look for.
    /// E_INVALID_REQUEST for a page token that is none. A search waits for a look at the registry and not for one at the
    /// plugins' folders, which is a second old at most: that costs as much as all the rest of it.
    package func tools(
        query: String = "", pageSize: Int = 0, pageToken: String = ""
    ) async throws(DomeError) -> ToolPage {
        if query.isEmpty {
            await reloadRegistry()
        } else {
            refreshCatalog()
            await reloadTools()
        }
        let snapshot = catalog.snapshot
        let limit = pageSize == 0 ? Int.max : pageSize
        let page: (tools: [Tool], total: Int)
        let next: String?
        if query.isEmpty {
            // After an id and not a number: tools may come and go between two pages.
            guard pageToken.isEmpty || pageToken.hasPrefix("id:") else { throw Self.badToken }
            let after = String(pageToken.dropFirst(3))
            let rest = snapshot.tools.drop { !after.isEmpty && $0.manifest.id <= after }
            page = (Array(rest.prefix(limit)), snapshot.tools.count)
            next = rest.count > limit ? page.tools.last.map { "id:" + $0.manifest.id } : nil
        } else {
            let start = pageToken.isEmpty ? "best:0" : pageToken
            guard start.hasPrefix("best:"), let offset = Int(start.dropFirst(5)), offset >= 0 else {
                throw Self.badToken
            }
            page = await rules.search(snapshot, query, offset: offset, limit: limit)
            let end = offset + page.tools.count
            next = end < page.total && !page.tools.isEmpty ? "best:\(end)" : nil
        }
        await requirements.look(at: page.tools.flatMap(\.manifest.requirements))
        return ToolPage(tools: page.tools.map(report), nextPageToken: next, total: page.total)
    }

    private static var badToken: DomeError {
        DomeError(.invalidRequest, "page_token must be next_page_token of the page before, asked with the same query")
    }

    /// One tool, as the registry is now. E_NOT_FOUND "tool not found: ID".
    package func tool(_ id: String) async throws(DomeError) -> ToolReport {
        await reloadRegistry()
        let tool = try catalog.snapshot.tool(id)
        await requirements.look(at: tool.manifest.requirements)
        return report(tool)
    }

    /// What it is like for clients, with what was last seen of what it requires.
    func report(_ tool: Tool) -> ToolReport {
        let manifest = tool.manifest
        return ToolReport(
            toolID: manifest.id, version: manifest.version, title: manifest.title,
            shortDescription: manifest.shortDescription, description: manifest.description, kind: manifest.kind,
            executor: manifest.executorBackend, permissions: manifest.permissionTexts,
            sideEffects: manifest.sideEffects, inputSchemaPath: tool.inputSchemaPath,
            outputSchemaPath: tool.outputSchemaPath ?? "", inputSchemaJSON: tool.inputSchemaText,
            outputSchemaJSON: tool.outputSchemaText ?? "", manifestJSON: tool.manifestText,
            unavailable: [requirements.unavailable(manifest), pins.refusal(tool)].compactMap(\.self).joined(
                separator: "; "), deprecated: manifest.advice.deprecation,
            versions: catalog.snapshot.versions(of: manifest.id).map(\.manifest.version),
            differences: pins.differences(tool), materialSHA256: tool.hashes.material)
    }

    // MARK: Keeping up to date

    /// Has the registry looked at again, off this thread and at most once a second: what a submission does, which
    /// does not wait for it.
    func refreshCatalog() {
        let now = Clock.monotonicNanoseconds()
        guard now - catalogCheckedNanoseconds > 1_000_000_000 else { return }
        catalogCheckedNanoseconds = now
        Core.task { [self] in await reloadRegistry() }
    }

    /// The registry and the plugins as they are now, each looked at on its own thread beside the other; what has changed is
    /// in the audit log.
    package func reloadRegistry() async {
        let registry = OneShot<Bool>()
        Core.task { [self] in
            await rules.reloadIfChanged(catalog)
            registry.set(true)
        }
        await refreshPlugins()
        _ = await registry.wait()
        noteRuleChanges()
    }

    /// The registry alone.
    private func reloadTools() async {
        await rules.reloadIfChanged(catalog)
        noteRuleChanges()
    }

    /// From now on, what is changed in the registry's folders is read when the kernel tells of it. Where it does not,
    /// what is asked about tools has it looked at, as everywhere.
    func watchRegistry() {
        guard let changes = catalog.changes else { return }
        registryWatch = try? Core.loop.register(changes, interest: .readable) { [self] _ in
            Core.assumeIsolated {
                // It stays readable until it has been read, on another thread.
                registryWatch?.setInterest([])
                Core.task { [self] in
                    await reloadTools()
                    registryWatch?.setInterest(.readable)
                }
            }
        }
    }
}
