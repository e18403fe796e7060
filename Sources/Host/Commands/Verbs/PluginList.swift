import DomeModel
import DomePlatform
import DomePluginHost

extension Verb {
    /// `dome plugin list`
    static let pluginList = Verb(
        words: ["plugin", "list"], summary: "list the plugins of this machine and how they are",
        details: [
            "States: ready; disabled (by the user); shadowed (another of the same id comes first); refused (plugin.json "
                + "or the library will not do); quarantined (not what was installed). Read from the folders: works "
                + "without a daemon."
        ],
        examples: ["dome plugin list", "dome plugin list -o json"]
    ) { invocation throws(CommandFailure) in
        let entries = try local { () throws(DomeError) in try PluginShelf.here().entries() }
        try invocation.print(
            json: .array(entries.map(\.json)), text: listText(entries, invocation.style))
        return ExitStatus.success
    }

    /// `dome plugin info`
    static let pluginInfo = Verb(
        words: ["plugin", "info"], summary: "show what a plugin is, may do, and where it lies",
        positionals: [
            PositionalSpec("PLUGIN", help: "its id, or the name its tools begin with", completion: .plugins)
        ],
        examples: ["dome plugin info dome.local-process"]
    ) { invocation throws(CommandFailure) in
        let (entry, settings) = try local { () throws(DomeError) in
            let shelf = try PluginShelf.here()
            let entry = try shelf.entry(invocation.argument(0))
            return (entry, shelf.settings.path(entry.id))
        }
        try invocation.print(json: entry.json, text: entry.text(settings: settings, style: invocation.style))
        return ExitStatus.success
    }

    private static func listText(_ entries: [PluginShelf.Entry], _ style: Style) -> String {
        guard !entries.isEmpty else { return "no plugins\n" }
        var table = Table(["PLUGIN", "VERSION", "KIND", "STATE", "PINNED", "FOLDER"])
        for entry in entries {
            table.add([
                entry.id, entry.manifest?.version ?? "", entry.manifest?.kind.rawValue ?? "", entry.state.rawValue,
                entry.isPinned ? "yes" : "no", entry.folder,
            ])
        }
        var text = table.text(width: Output.stdout.width, style: style)
        for entry in entries where !entry.reason.isEmpty {
            text += "\(Rendered.line(entry.id)): \(entry.state.rawValue): \(Rendered.line(entry.reason))\n"
        }
        return text
    }
}

extension PluginShelf.Entry {
    var json: JSONValue {
        [
            "id": .string(id), "version": .string(manifest?.version ?? ""),
            "kind": .string(manifest?.kind.rawValue ?? ""), "state": .string(state.rawValue),
            "reason": .string(reason), "folder": .string(folder), "library": .string(manifest?.library ?? ""),
            "library_sha256": .string(librarySHA256), "pinned": .bool(isPinned), "manifest": document,
        ]
    }

    func text(settings: String, style: Style) -> String {
        func list(_ member: String) -> String {
            (document[member]?.arrayValue ?? []).compactMap(\.stringValue).joined(separator: ", ")
        }
        var fields = Fields()
        fields.add("id", id)
        fields.add("title", document["title"]?.stringValue ?? "")
        fields.add("description", document["description"]?.stringValue ?? "")
        fields.add("version", manifest?.version ?? "")
        fields.add("kind", manifest?.kind.rawValue ?? "")
        fields.add("state", state.rawValue + (reason.isEmpty ? "" : ": " + reason))
        fields.add("permissions", document["permissions"]?.arrayValue?.isEmpty == false ? list("permissions") : "none")
        fields.add("by grant", list("optional_permissions"))
        fields.add("secrets", list("secrets"))
        fields.add("folder", folder)
        fields.add("library", manifest?.library ?? "")
        fields.add("sha256", librarySHA256)
        fields.add("pinned", isPinned ? "yes" : "no")
        fields.add("settings", settings)
        return fields.text(style: style)
    }
}
