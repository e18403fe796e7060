// Room MCP: dome's tools for AI clients, by the Model Context Protocol: JSON-RPC 2.0 over standard input and output.
// Two eras of the protocol are served on one connection: those with a handshake (2024-11-05 to 2025-11-25) and the
// stateless one (2026-07-28), where each request says in its `_meta` who asks and how.
//
// The bridge keeps nothing that matters: jobs live in the daemon. It answers at once, also without a daemon (the
// list of tools is remembered), starts or finds the daemon when a call needs it, and ends only when its input does.
// What a client shows its model is `structuredContent` and nothing else, so everything is in it: what went wrong,
// and what to do about it. Everything here is isolated to `Core`: one thread, one event loop, no locks.

package import DomeAsync
package import DomeClient
internal import DomeModel
internal import DomePlatform

/// What the connections of one program share.
@Core
package final class Bridge {
    let client: DaemonClient
    let settings: BridgeSettings
    let shelf: ToolShelf
    /// Where the client started this process; nil where it did not.
    private var clientFolder: String?

    /// Nothing is opened yet. `stateDirectory` is where the list of tools is remembered.
    package init(client: DaemonClient, settings: BridgeSettings, stateDirectory: String) {
        self.client = client
        self.settings = settings
        shelf = ToolShelf(client: client, settings: settings, cachePath: stateDirectory + "/mcp-tools.json")
    }

    /// Asks the daemon for the tools and remembers them, so that the first session of a client need not wait for it.
    /// How many a client is told of; nil if the daemon did not say.
    package func rememberTools() async -> Int? { await shelf.fetched()?.count }

    /// Serves standard input and output until the input ends, and returns the exit status.
    package func serveStandardStreams() async -> Int32 {
        shelf.refresh()
        clientFolder = UsualGrants.startFolder()
        do throws(DomeError) {
            try await StandardStreams(bridge: self).serve()
            return 0
        } catch {
            Log.error("mcp.streams_failed", ["error": error.description])
            return 70
        }
    }

    func usualGrants(_ tool: ToolFacts) -> [String] {
        UsualGrants.of(settings.grants, for: tool, folder: clientFolder)
    }

    /// What a client is told of the whole; clients put it before each tool, so it is short.
    nonisolated static let instructions =
        "dome runs tools as sandboxed jobs. Find one with dome_search_tools, run it with dome_run. A job sees only "
        + "files named in grants (\"fs.read:/dir\", \"fs.write:/dir\"). Long jobs go on by themselves: dome_follow."

    nonisolated static let name = "dome"
}
