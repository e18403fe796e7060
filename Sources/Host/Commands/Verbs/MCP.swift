import DomeAsync
import DomeMCP
import DomeModel
import DomePlatform

extension Verb {
    /// `dome mcp`
    static let mcp = Verb(
        words: ["mcp"], summary: "serve the tools to an AI client, by the Model Context Protocol",
        details: [
            "Speaks MCP on standard input and output, so it is started by a client and not by a person; 'dome install' "
                + "tells clients how. It answers at once, starts the daemon when there is none, and ends with its input. "
                + "Jobs belong to the daemon: they go on when the client or this program ends.",
            "With --http it serves any number of clients at once, until it is ended, and prints where and the file with the "
                + "token that they send (Authorization: Bearer).",
            "Settings are read from mcp.json in the configuration directory: \"tools\" (the ids of the tools that are "
                + "listed by themselves), \"grants\" (what a job gets when the call names no grants; default "
                + "[\"fs.read:{cwd}\"]), \"output_bytes\" (how large a result may be), \"profile\" (a label that is "
                + "recorded with the jobs).",
        ],
        options: [
            OptionSpec(
                "--http", value: "HOST:PORT",
                help: "serve HTTP there instead, at /mcp: 127.0.0.1:PORT or [::1]:PORT, with a token")
        ],
        examples: ["dome install codex", "dome mcp --http 127.0.0.1:7357"]
    ) { invocation async throws(CommandFailure) in
        let directories = try local { () throws(DomeError) in try Directories() }
        // A bridge that does not come up takes every tool from the client: what is wrong is said, and it goes on.
        var settings = BridgeSettings()
        do throws(DomeError) {
            settings = try BridgeSettings(file: directories.config + "/mcp.json")
        } catch {
            Log.warning("mcp.settings_refused", ["error": error.message])
        }
        let bridge = Bridge(
            client: try invocation.client(), settings: settings, stateDirectory: directories.state)
        guard let address = invocation.value("--http") else { return await bridge.serveStandardStreams() }
        let tokenFile = directories.state + "/mcp-token"
        do throws(DomeError) {
            try Files.makeDirectories(directories.state)
            try await bridge.serveHTTP(address, tokenFile: tokenFile) { port in
                Output.stdout.writeNow("http://\(address.hostPart):\(port)/mcp, token in \(tokenFile)\n")
            }
        } catch {
            throw CommandFailure(error)
        }
        return ExitStatus.success
    }
}

extension String {
    /// Of HOST:PORT.
    fileprivate var hostPart: Substring { self[..<(lastIndex(of: ":") ?? endIndex)] }
}
