import DomeAsync
import DomeClient
import DomeModel
import DomePlatform

extension Verb {
    /// `dome plugin list`
    static let pluginList = Verb(
        words: ["plugin", "list"], summary: "list the plugins of this machine and how they are",
        details: [
            "States: ready; disabled (by the user); shadowed (another of the same id comes first); refused (plugin.json "
                + "or the library will not do); crashed (when it was looked at); quarantined (not what was installed, or "
                + "its jobs crashed). The daemon tells; where none runs, the folders do, which know of no crashes."
        ],
        examples: ["dome plugin list", "dome plugin list -o json"]
    ) { invocation async throws(CommandFailure) in
        let plugins = try await known(invocation)
        try invocation.print(json: .array(plugins.map(\.json)), text: listText(plugins, invocation.style))
        return ExitStatus.success
    }

    /// `dome plugin info`
    static let pluginInfo = Verb(
        words: ["plugin", "info"], summary: "show what a plugin is, may do, and where it lies",
        positionals: [
            PositionalSpec("PLUGIN", help: "its id, or the name its tools begin with", completion: .plugins)
        ],
        examples: ["dome plugin info dome.local-process"]
    ) { invocation async throws(CommandFailure) in
        let shelf = try local { () throws(DomeError) in try PluginShelf.here() }
        let entry = try local { () throws(DomeError) in try shelf.entry(invocation.argument(0)) }
        let plugin = try await known(invocation, asking: entry.id).first { $0.folder == entry.folder } ?? entry.summary
        try invocation.print(
            json: plugin.json, text: plugin.text(settings: shelf.settings.path(entry.id), style: invocation.style))
        return ExitStatus.success
    }

    /// What the daemon knows if one runs; it is not started for this.
    @Core
    private static func known(
        _ invocation: Invocation, asking id: String = ""
    ) async throws(CommandFailure) -> [PluginSummary] {
        if let plugins = try await invocation.pluginsOfDaemon(id: id, withHealth: !id.isEmpty) { return plugins }
        return try local { () throws(DomeError) in try PluginShelf.here().entries().map(\.summary) }
    }

    private static func listText(_ plugins: [PluginSummary], _ style: Style) -> String {
        guard !plugins.isEmpty else { return "no plugins\n" }
        var table = Table(["PLUGIN", "VERSION", "KIND", "STATE", "PINNED", "FOLDER"])
        for plugin in plugins {
            table.add([
                plugin.pluginID, plugin.version, plugin.kind, plugin.state, plugin.isPinned ? "yes" : "no",
                plugin.folder,
            ])
        }
        var text = table.text(width: Output.stdout.width, style: style)
        for plugin in plugins where !plugin.reason.isEmpty {
            let name = plugin.pluginID.isEmpty ? plugin.folder : plugin.pluginID
            text += "\(Rendered.line(name)): \(Rendered.line(plugin.state)): \(Rendered.line(plugin.reason))\n"
        }
        return text
    }
}

extension PluginSummary {
    fileprivate var json: JSONValue {
        func texts(_ list: [String]) -> JSONValue { .array(list.map { .string($0) }) }
        return [
            "plugin_id": .string(pluginID), "name": .string(name), "version": .string(version), "kind": .string(kind),
            "state": .string(state), "reason": .string(reason), "title": .string(title),
            "description": .string(description), "folder": .string(folder), "library_sha256": .string(librarySHA256),
            "pinned": .bool(isPinned), "differences": texts(differences), "tool_ids": texts(toolIDs),
            "permissions": texts(permissions), "secrets": texts(secrets), "capabilities": texts(capabilities),
            "crashes": .integer(Int64(crashes)), "crashes_in_a_row": .integer(Int64(crashesInARow)),
            "last_crash": .string(lastCrash),
            "health": isHealthy.map { ["ok": .bool($0), "message": .string(health)] } ?? .null,
        ]
    }

    fileprivate func text(settings: String, style: Style) -> String {
        var fields = Fields()
        fields.add("id", pluginID)
        fields.add("title", title)
        fields.add("description", description == title ? "" : description)
        fields.add("version", version)
        fields.add("kind", kind)
        fields.add("state", state + (reason.isEmpty ? "" : ": " + reason))
        if let isHealthy {
            fields.add("health", (isHealthy ? "well" : "not well") + (health.isEmpty ? "" : ": " + health))
        }
        fields.add("differs", differences.joined(separator: "\n"))
        fields.add("tools", toolIDs.joined(separator: "\n"))
        fields.add("permissions", permissions.isEmpty ? "none" : permissions.joined(separator: ", "))
        fields.add("secrets", secrets.joined(separator: ", "))
        fields.add("crashes", crashes == 0 ? "" : "\(crashes), \(crashesInARow) in a row; the last \(lastCrash)")
        fields.add("folder", folder)
        fields.add("library", librarySHA256)
        fields.add("pinned", isPinned ? "yes" : "no")
        fields.add("settings", settings)
        return fields.text(style: style)
    }
}
