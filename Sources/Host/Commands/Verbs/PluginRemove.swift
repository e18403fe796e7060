import DomeModel
import DomePlatform

extension Verb {
    /// `dome plugin remove`
    static let pluginRemove = Verb(
        words: ["plugin", "remove"], summary: "remove a plugin that was installed for this user",
        details: ["Its configuration and secrets stay, for when it is installed again."],
        positionals: [PositionalSpec("PLUGIN", help: "its id, or the name its tools begin with", completion: .plugins)],
        examples: ["dome plugin remove org.example.thing"]
    ) { invocation async throws(CommandFailure) in
        let entry = try local { () throws(DomeError) in
            let shelf = try PluginShelf.here()
            let entry = try shelf.entry(invocation.argument(0))
            guard entry.folder.hasPrefix(PluginShelf.resolved(shelf.own) + "/") else {
                throw DomeError(
                    .invalidRequest,
                    "plugin \(entry.id) lies in \(entry.folder), where 'dome plugin install' did not put it; "
                        + "'dome plugin disable \(entry.id)' keeps it from being used")
            }
            // Out of sight in one step, and only then taken apart.
            let gone = "\(shelf.own).remove.\(Files.processID)"
            try Files.rename(entry.folder, to: gone)
            try Files.removeTree(gone)
            try shelf.settings.change(entry.id) { members in
                for member in ["pin", "enabled", "enabled_at"] { members[member] = nil }
            }
            return entry
        }
        _ = try await invocation.pluginsOfDaemon()
        try invocation.print(
            json: ["plugin_id": .string(entry.id), "folder": .string(entry.folder)],
            text: "removed \(Rendered.line(entry.id)) from \(Rendered.line(entry.folder))\n")
        return ExitStatus.success
    }
}
