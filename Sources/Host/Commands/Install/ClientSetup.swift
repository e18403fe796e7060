import DomeModel
import DomePlatform
import Glibc

/// What an AI client needs to find dome: where its files are, and what goes into them.
struct ClientSetup {
    /// The clients whose files are known.
    enum Client: String, CaseIterable {
        case codex
        case claude
    }

    let client: Client
    /// For the folder's work alone; nil: for all of the user's.
    let project: String?
    /// The program that the client starts.
    private let program: String
    private let directories: Directories
    private let home: String
    private let environment: (String) -> String?

    /// Variables that say where the daemon is; clients pass on none that they are not told of.
    static let variables = [
        "XDG_RUNTIME_DIR", "XDG_STATE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "DOMED_ENDPOINT", "DOMED_TOKEN_FILE",
        "DOME_STAGE", "DOME_NO_SYSTEMD",
    ]

    init(
        _ client: Client, project: String?, program: String, directories: Directories, home: String,
        environment: @escaping (String) -> String?
    ) {
        (self.client, self.project, self.program, self.directories) = (client, project, program, directories)
        (self.home, self.environment) = (home, environment)
    }

    /// What has to be done so that the client has dome, or so that it has not.
    func changes(isInstalled: Bool) throws(CommandFailure) -> FileChanges {
        var changes = FileChanges()
        switch (client, project) {
        case (.codex, nil): try codexPlugin(isInstalled, &changes)
        case (.codex, let folder?): try codexProject(folder, isInstalled, &changes)
        case (.claude, let folder): try claude(folder, isInstalled, &changes)
        }
        return changes
    }

    // codex: a plugin of its own in a marketplace of its own, which codex then has in its cache.

    private var codexHome: String {
        guard let path = environment("CODEX_HOME"), path.hasPrefix("/") else { return home + "/.codex" }
        return path
    }

    private func codexPlugin(_ isInstalled: Bool, _ changes: inout FileChanges) throws(CommandFailure) {
        let market = directories.data + "/codex"
        let cache = codexHome + "/plugins/cache/dome/dome"
        let versions = Files.exists(cache) ? ((try? Files.list(cache)) ?? []) : []
        for folder in [market + "/plugins/dome", cache + "/" + DomeVersion.text] {
            for (name, text) in pluginFiles { try changes.plan(folder + "/" + name, isInstalled ? text : nil) }
        }
        for version in versions where version != DomeVersion.text {
            for (name, _) in pluginFiles { try changes.plan("\(cache)/\(version)/\(name)", nil) }
        }
        try changes.plan(market + "/.agents/plugins/marketplace.json", isInstalled ? marketplace : nil)
        try editTOML(codexHome + "/config.toml", isInstalled, &changes) { toml in
            let tables: [([String], [(key: String, value: String)])] = [
                (["marketplaces", "dome"], [("source_type", "\"local\""), ("source", TOMLText.quoted(market))]),
                (["plugins", "dome@dome"], [("enabled", "true")]),
            ]
            return Self.edit(&toml, tables, isInstalled)
        }
    }

    private var pluginFiles: [(name: String, text: String)] {
        let manifest: JSONValue = [
            "name": "dome", "version": .string(DomeVersion.text),
            "description": "Finds tools and runs them as sandboxed jobs", "skills": "./skills/",
            "mcpServers": "./.mcp.json",
        ]
        var server = mcpServer
        server["omit_tools_from"] = ["deferred"]
        server["default_tools_approval_mode"] = "approve"
        server["supports_parallel_tool_calls"] = true
        server["env_vars"] = .array(Self.variables.map { .string($0) })
        let servers: JSONValue = ["mcpServers": ["dome": .object(server)]]
        return [
            (".codex-plugin/plugin.json", manifest.indented), (".mcp.json", servers.indented),
            ("skills/dome/SKILL.md", SkillText.text),
        ]
    }

    private var marketplace: String {
        let document: JSONValue = [
            "name": "dome", "interface": ["displayName": "dome"],
            "plugins": [
                [
                    "name": "dome", "source": ["source": "local", "path": "./plugins/dome"],
                    "policy": ["installation": "AVAILABLE", "authentication": "ON_INSTALL"],
                    "category": "Developer Tools",
                ]
            ],
        ]
        return document.indented
    }

    private var mcpServer: JSONObject { ["command": .string(program), "args": ["mcp"]] }

    /// The same without a plugin: codex has none for a project.
    private func codexProject(_ folder: String, _ isInstalled: Bool, _ changes: inout FileChanges)
        throws(CommandFailure)
    {
        try changes.plan(folder + "/.agents/skills/dome/SKILL.md", isInstalled ? SkillText.text : nil)
        let entries: [(key: String, value: String)] = [
            ("command", TOMLText.quoted(program)), ("args", "[\"mcp\"]"), ("omit_tools_from", "[\"deferred\"]"),
            ("default_tools_approval_mode", "\"approve\""), ("supports_parallel_tool_calls", "true"),
            ("env_vars", TOMLText.list(Self.variables)),
        ]
        try editTOML(folder + "/.codex/config.toml", isInstalled, &changes) { toml in
            Self.edit(&toml, [(["mcp_servers", "dome"], entries)], isInstalled)
        }
    }

    /// False if a table cannot be added.
    private static func edit(
        _ toml: inout TOMLText, _ tables: [([String], [(key: String, value: String)])], _ isInstalled: Bool
    ) -> Bool {
        for (table, entries) in tables {
            if !isInstalled {
                toml.remove(table, entries.map(\.key))
            } else {
                if toml.isTaken(table) { return false }
                toml.set(table, entries)
            }
        }
        return true
    }

    private func editTOML(
        _ path: String, _ isInstalled: Bool, _ changes: inout FileChanges, _ body: (inout TOMLText) -> Bool
    ) throws(CommandFailure) {
        let before = try FileChanges.text(path)
        if before == nil, !isInstalled { return }
        guard var toml = TOMLText(before ?? "") else {
            throw CommandFailure(
                "\(path) is no TOML that dome can read; nothing was changed. Mend it, or use 'dome install --print'",
                status: ExitStatus.dataError)
        }
        guard body(&toml) else {
            throw CommandFailure(
                "\(path) says what dome would add in another way (an inline table or a dotted key); nothing was changed. "
                    + "'dome install --print' shows what to add",
                status: ExitStatus.dataError)
        }
        try changes.plan(path, Self.result(path, toml.text, isInstalled), backUp: true)
    }

    /// After an uninstall: a file that was ours alone goes; one that differs from its backup by the last line's ending
    /// only is what it was.
    private static func result(_ path: String, _ text: String, _ isInstalled: Bool) throws(CommandFailure) -> String? {
        if isInstalled { return text }
        if text.isEmpty { return nil }
        let backup = try FileChanges.text(path + FileChanges.backupSuffix)
        return backup.map { $0 + "\n" == text } == true ? backup : text
    }

    // claude: one entry in a JSON file, and the skill.

    private func claude(_ folder: String?, _ isInstalled: Bool, _ changes: inout FileChanges) throws(CommandFailure) {
        let path = folder.map { $0 + "/.mcp.json" } ?? home + "/.claude.json"
        let skills = (folder ?? home) + "/.claude/skills/dome/SKILL.md"
        let before = try FileChanges.text(path)
        if before != nil || isInstalled {
            var server: JSONObject = ["type": "stdio"]
            for (key, value) in mcpServer.members { server[key] = value }
            let after = JSONEdit.set(
                before ?? "{}\n", object: "mcpServers", name: "dome", to: isInstalled ? .object(server) : nil)
            guard let after else {
                throw CommandFailure(
                    "\(path) is not a JSON object with an object \"mcpServers\"; nothing was changed",
                    status: ExitStatus.dataError)
            }
            let isEmpty = (try? JSONParser.parse(after, what: path)) == ["mcpServers": [:]]
            try changes.plan(path, !isInstalled && isEmpty ? nil : after, backUp: true)
        }
        try changes.plan(skills, isInstalled ? SkillText.text : nil)
    }

    /// What to give a client that dome does not know.
    static func snippet(program: String) -> String {
        let server: JSONValue = ["mcpServers": ["dome": ["command": .string(program), "args": ["mcp"]]]]
        return "For a client that reads JSON (most have a file with \"mcpServers\"):\n\n\(server.indented)\n"
            + "For one that wants a command: \(program) mcp\n\n"
            + "It is started by the client, speaks MCP on standard input and output, and needs HOME; where the client\n"
            + "passes on no variables, name these if you have set them: \(variables.joined(separator: ", ")).\n"
    }
}
