internal import DomeAsync
internal import DomeClient
internal import DomeModel
internal import DomePlatform

/// The tools that are listed by themselves: asked of the daemon, and remembered in a file, so that a client has an
/// answer at once while the daemon is not there yet.
@Core
final class ToolShelf {
    private static let cacheLimitBytes = 16 << 20
    /// How long a list may wait for the daemon: clients begin their first turn a second after they started us.
    private static let patienceMilliseconds: UInt64 = 60
    private static let firstPatienceMilliseconds: UInt64 = 700
    /// How long what the daemon said is good for new sessions.
    private static let freshNanoseconds: Int64 = 2_000_000_000

    private static let summaryNanoseconds: Int64 = 1_000_000_000

    private let client: DaemonClient
    private let settings: BridgeSettings
    private let cachePath: String
    private var latest: (tools: [ToolSummary], at: Int64)?
    private var known: ToolListing?
    private var knownDetails: [ToolDetail] = []
    private var fetchedAt: Int64?
    private var fetching: OneShot<Bool>?

    nonisolated init(client: DaemonClient, settings: BridgeSettings, cachePath: String) {
        (self.client, self.settings, self.cachePath) = (client, settings, cachePath)
    }

    /// All tools in a line each, as they were a second ago at most: the daemon looks at its folders for each such question,
    /// and a model may ask a dozen in a row.
    func summaries() async throws(ClientError) -> [ToolSummary] {
        let now = Clock.monotonicNanoseconds()
        if let latest, now - latest.at < Self.summaryNanoseconds { return latest.tools }
        let tools = try await client.tools()
        latest = (tools, now)
        return tools
    }

    /// The id of the tool that somebody may have meant by `name`: models take one spelling for the other.
    func id(like name: String) async -> String? {
        let wanted = ToolNames.plain(name)
        do throws(ClientError) {
            return try await summaries().first { ToolNames.plain($0.toolID) == wanted }?.toolID
        } catch {
            return nil
        }
    }

    /// Asks the daemon, beside whatever else goes on; it is started if there is none.
    func refresh() {
        guard fetching == nil else { return }
        let fetch = OneShot<Bool>()
        fetching = fetch
        Core.task {
            await self.fetch()
            self.fetching = nil
            fetch.set(true)
        }
    }

    /// The tools as the daemon says now; nil if it does not.
    func fetched() async -> ToolListing? {
        refresh()
        _ = await fetching?.wait()
        return fetchedAt == nil ? nil : known
    }

    /// The tools as they are, or as they were when the daemon last said.
    func listing() async -> ToolListing {
        if let known, let fetchedAt, Clock.monotonicNanoseconds() - fetchedAt < Self.freshNanoseconds { return known }
        if known == nil { readCache() }
        refresh()
        let patience = known == nil ? Self.firstPatienceMilliseconds : Self.patienceMilliseconds
        _ = await fetching?.wait(milliseconds: patience)
        return known ?? ToolListing([])
    }

    private func fetch() async {
        do throws(ClientError) {
            var details: [ToolDetail] = []
            for id in chosen(try await client.tools()) {
                // One that was removed meanwhile, or that the settings name in vain, is not listed.
                do throws(ClientError) {
                    let tool = try await client.toolDocuments(id)
                    if LargeSchemas.bytes(tool) <= LargeSchemas.listedBytes {
                        details.append(tool)
                    } else {
                        Log.warning(
                            "mcp.tool_not_listed", ["tool": id, "error": "its schema is too large to be listed"])
                    }
                } catch {
                    guard case .refused = error else { throw error }
                    Log.warning("mcp.tool_not_listed", ["tool": id, "error": error.message])
                }
            }
            fetchedAt = Clock.monotonicNanoseconds()
            guard details != knownDetails || known == nil else { return }
            knownDetails = details
            known = ToolListing(details)
            writeCache(details)
        } catch {
            Log.warning("mcp.no_tools", ["error": error.message])
        }
    }

    private func chosen(_ summaries: [ToolSummary]) -> [String] {
        if let tools = settings.tools { return tools }
        let usual = summaries.filter {
            $0.kind != "diagnostic" && $0.toolID != "skill-execute" && $0.unavailable.isEmpty && $0.deprecated.isEmpty
        }
        return UsualTools.chosen(usual.map(\.toolID))
    }

    // What is remembered is only for the list: a call always asks the daemon.

    private func readCache() {
        guard Files.exists(cachePath) else { return }
        do throws(DomeError) {
            let bytes = try Files.read(cachePath, limitBytes: Self.cacheLimitBytes)
            let document = try JSONParser.parse(bytes, what: cachePath)
            guard document["version"]?.stringValue == DomeVersion.text, let tools = document["tools"]?.arrayValue
            else { return }
            var details = tools.compactMap { ToolDetail(cached: $0) }
            if let wanted = settings.tools { details.removeAll { !wanted.contains($0.summary.toolID) } }
            knownDetails = details
            known = ToolListing(details)
        } catch {
            Log.warning("mcp.cache_unreadable", ["path": cachePath, "error": error.message])
        }
    }

    private func writeCache(_ details: [ToolDetail]) {
        let document: JSONValue = [
            "version": .string(DomeVersion.text), "tools": .array(details.map(\.cached)),
        ]
        do throws(DomeError) {
            let bytes = Array(document.compact.utf8)
            if let old = try? Files.read(cachePath, limitBytes: Self.cacheLimitBytes), old == bytes { return }
            if let slash = cachePath.lastIndex(of: "/") { try Files.makeDirectories(String(cachePath[..<slash])) }
            try Files.writeAtomically(cachePath, bytes)
        } catch {
            Log.warning("mcp.cache_unwritable", ["path": cachePath, "error": error.message])
        }
    }
}

extension ToolDetail {
    fileprivate var cached: JSONValue {
        [
            "tool_id": .string(summary.toolID), "version": .string(summary.version), "title": .string(summary.title),
            "short_description": .string(summary.shortDescription), "kind": .string(summary.kind),
            "description": .string(description), "permissions": .array(permissions.map { .string($0) }),
            "side_effects": .array(sideEffects.map { .string($0) }), "input_schema": .string(inputSchemaJSON),
            "output_schema": .string(outputSchemaJSON), "manifest": .string(manifestJSON),
        ]
    }

    fileprivate init?(cached value: JSONValue) {
        guard let id = value["tool_id"]?.stringValue, !id.isEmpty else { return nil }
        self.init()
        func text(_ key: String) -> String { value[key]?.stringValue ?? "" }
        summary.toolID = id
        (summary.version, summary.title, summary.kind) = (text("version"), text("title"), text("kind"))
        (summary.shortDescription, description) = (text("short_description"), text("description"))
        permissions = value["permissions"]?.arrayValue?.compactMap(\.stringValue) ?? []
        sideEffects = value["side_effects"]?.arrayValue?.compactMap(\.stringValue) ?? []
        (inputSchemaJSON, outputSchemaJSON) = (text("input_schema"), text("output_schema"))
        manifestJSON = text("manifest")
    }
}
