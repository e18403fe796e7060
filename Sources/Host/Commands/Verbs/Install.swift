import DomeAsync
import DomeMCP
import DomeModel
import DomePlatform
import Glibc

extension Verb {
    /// `dome install`
    static let install = Verb(
        words: ["install"], summary: "make an AI client know dome",
        details: [
            "codex gets a plugin of its own, with the MCP server and a skill; claude an entry in its settings, and the "
                + "skill. Of what is there only dome's own entries are touched, the rest stays byte for byte, and the old "
                + "file is kept beside the new one (NAME.before-dome). Doing it again changes nothing.",
            "For any other client, --print shows what to tell it.",
        ],
        positionals: [clientArgument],
        options: installOptions + [OptionSpec("--print", help: "print what to tell a client, and change nothing")],
        examples: ["dome install codex", "dome install claude --project", "dome install --print"]
    ) { invocation async throws(CommandFailure) in
        if invocation.has("--print") || invocation.positionals.isEmpty {
            guard invocation.has("--print") else {
                throw .usage("which client? codex or claude; 'dome install --print' shows what to tell another")
            }
            try Output.stdout.write(ClientSetup.snippet(program: try ownProgram()))
            return ExitStatus.success
        }
        return try await change(invocation, isInstalled: true)
    }

    /// `dome uninstall`
    static let uninstall = Verb(
        words: ["uninstall"], summary: "make an AI client forget dome",
        details: ["Takes away what 'dome install' added, and nothing else. Jobs and settings of dome stay."],
        positionals: [clientArgument], options: installOptions,
        examples: ["dome uninstall codex", "dome uninstall codex --dry-run"]
    ) { invocation async throws(CommandFailure) in
        guard !invocation.positionals.isEmpty else { throw .usage("which client? codex or claude") }
        return try await change(invocation, isInstalled: false)
    }

    private static let clientArgument = PositionalSpec(
        "CLIENT", help: "codex or claude", isOptional: true,
        completion: .words(ClientSetup.Client.allCases.map(\.rawValue)))

    private static let installOptions = [
        OptionSpec("--project", help: "for the current folder alone, not for all of your work"),
        OptionSpec("--dry-run", help: "show what would be done, and do nothing"),
    ]

    @Core
    private static func change(
        _ invocation: Invocation, isInstalled: Bool
    ) async throws(CommandFailure) -> Int32 {
        guard let client = ClientSetup.Client(rawValue: invocation.argument(0)) else {
            throw .usage(
                "dome does not know the client '\(invocation.argument(0))', only codex and claude; "
                    + "'dome install --print' shows what to tell another")
        }
        let directories = try local { () throws(DomeError) in try Directories() }
        let variable = { (name: String) in getenv(name).map { String(cString: $0) } }
        guard let home = variable("HOME"), home.hasPrefix("/") else {
            throw CommandFailure("HOME is not set: there is no place to install to", status: ExitStatus.dataError)
        }
        let setup = ClientSetup(
            client, project: invocation.has("--project") ? try currentFolder() : nil, program: try ownProgram(),
            directories: directories, home: home, environment: variable)
        let changes = try setup.changes(isInstalled: isInstalled)
        let isDryRun = invocation.has("--dry-run")
        if !isDryRun { try changes.apply() }
        try invocation.print(
            json: ["client": .string(client.rawValue), "dry_run": .bool(isDryRun), "changes": changes.json],
            text: changes.text(isDryRun: isDryRun) + closing(client, changes, isInstalled, isDryRun))
        if isInstalled, !isDryRun { try await tellTools(invocation, directories) }
        return ExitStatus.success
    }

    /// What the client will find; it is remembered for its first session.
    @Core
    private static func tellTools(
        _ invocation: Invocation, _ directories: Directories
    ) async throws(CommandFailure) {
        let settings = (try? BridgeSettings(file: directories.config + "/mcp.json")) ?? BridgeSettings()
        let bridge = Bridge(
            client: try invocation.client(), settings: settings, stateDirectory: directories.state)
        let count = await bridge.rememberTools()
        guard !invocation.isJSON else { return }
        let text = count.map { "it will find \($0) tools" } ?? "the daemon does not answer yet: run 'dome doctor'"
        try Output.stdout.write(text + "\n")
    }

    private static func closing(
        _ client: ClientSetup.Client, _ changes: FileChanges, _ isInstalled: Bool, _ isDryRun: Bool
    ) -> String {
        if isDryRun { return "nothing was changed\n" }
        if changes.isEmpty { return "nothing had to be changed\n" }
        return isInstalled
            ? "\(client.rawValue) has dome from its next start on\n"
            : "\(client.rawValue) has no dome any more\n"
    }

    private static func ownProgram() throws(CommandFailure) -> String {
        try local { () throws(DomeError) in try Directories.ofExecutable() } + "/dome"
    }

    private static func currentFolder() throws(CommandFailure) -> String {
        guard let pointer = getcwd(nil, 0) else {
            throw CommandFailure("the current folder is gone", status: ExitStatus.dataError)
        }
        defer { free(pointer) }
        return String(cString: pointer)
    }
}
