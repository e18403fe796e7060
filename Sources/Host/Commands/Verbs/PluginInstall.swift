import DomeCatalog
import DomeClient
import DomeModel
import DomePlatform
import DomeValidator

extension Verb {
    /// `dome plugin install`
    static let pluginInstall = Verb(
        words: ["plugin", "install"], summary: "install a plugin for this user, and pin what it is",
        details: [
            "Copies plugin.json, the library and the \"files\" that plugin.json lists from FOLDER into the data directory, and "
                + "pins what they are: a plugin of which a file is changed, added or taken away later is not used any "
                + "more. What the host could not load is refused; none of the plugin's code runs here (see 'dome plugin "
                + "check').",
            "A daemon that runs looks at it at once; the tools of an adapter are then called NAME.ACTION.",
        ],
        positionals: [PositionalSpec("FOLDER", help: "the plugin's folder, e.g. .", completion: .files)],
        options: [OptionSpec("--force", help: "in place of the one that is installed with this id")],
        examples: ["dome plugin install .", "dome plugin install . --force"]
    ) { invocation async throws(CommandFailure) in
        let (file, path, isReplaced) = try local { () throws(DomeError) in
            let shelf = try PluginShelf.here()
            let folder = PluginShelf.resolved(invocation.argument(0))
            guard Files.exists(folder + "/plugin.json") else {
                throw DomeError(.notFound, "there is no plugin.json in \(folder); name the plugin's folder")
            }
            let file = try PluginShelf.plugin(in: folder)
            try StaticHandshake.check(path: folder + "/" + file.library)
            let path = "\(shelf.own)/\(file.id)"
            try refuseTwins(of: file, from: folder, at: path, on: shelf, isForced: invocation.has("--force"))
            return (file, path, try install(file, from: folder, at: path, on: shelf))
        }
        let seen = try await invocation.pluginsOfDaemon()?.first { $0.folder == PluginShelf.resolved(path) }
        let isUsable = seen.map { $0.state == "ready" } ?? true
        var text = "installed \(file.id) \(file.version) in \(path)\n"
        if let seen, !isUsable { text += "it is \(Rendered.line(seen.state)): \(Rendered.line(seen.reason))\n" }
        if let seen, !seen.toolIDs.isEmpty { text += "tools: \(Rendered.line(seen.toolIDs.joined(separator: ", ")))\n" }
        if seen == nil, file.kind == .adapter {
            text += "its actions are the tools \(file.name).ACTION: 'dome tools' lists them\n"
        }
        try invocation.print(
            json: [
                "plugin_id": .string(file.id), "version": .string(file.version), "folder": .string(path),
                "replaced": .bool(isReplaced), "state": seen.map { .string($0.state) } ?? .null,
                "reason": .string(seen?.reason ?? ""),
                "tool_ids": .array((seen?.toolIDs ?? []).map { .string($0) }),
            ], text: text)
        return isUsable ? ExitStatus.success : ExitStatus.failure
    }

    /// The same id twice would hide one of them.
    private static func refuseTwins(
        of file: PluginFile, from folder: String, at path: String, on shelf: PluginShelf, isForced: Bool
    ) throws(DomeError) {
        for entry in shelf.entries() where entry.id == file.id && !entry.isShadowed {
            guard entry.folder != folder else {
                throw DomeError(.invalidRequest, "\(entry.folder) is where plugin \(entry.id) is used from already")
            }
            let isInstalled = entry.folder == PluginShelf.resolved(path)
            let version = entry.summary.version
            guard isForced else {
                throw DomeError(
                    .invalidRequest,
                    "plugin \(entry.id) \(version) is there already, in \(entry.folder); "
                        + (isInstalled
                            ? "--force replaces it" : "--force installs this one over it, which hides that one"))
            }
        }
    }

    /// Pins, then places: what is in its place is never without a pin. True if one was replaced.
    private static func install(
        _ file: PluginFile, from folder: String, at path: String, on shelf: PluginShelf
    ) throws(DomeError) -> Bool {
        try Files.makeDirectories(shelf.own)
        let staging = "\(shelf.own).install.\(Files.processID)"
        do throws(DomeError) {
            try PluginFiles.copy(file, from: folder, to: staging)
            // What is pinned is what was copied, whatever happens to the source meanwhile.
            let copied = try PluginShelf.plugin(in: staging)
            guard copied.id == file.id, copied.library == file.library else {
                throw DomeError(.invalidRequest, "\(folder)/plugin.json changed while it was copied")
            }
            let library = staging + "/" + copied.library
            try StaticHandshake.check(path: library)
            let pin = PluginPin.document(
                copied.document, librarySHA256: try PluginShelf.sha256(library),
                try PluginContents(of: staging, copied, sha256: PluginShelf.sha256))
            try shelf.settings.change(file.id) { members in
                members["enabled"] = .bool(true)
                members["enabled_at"] = .string(Timestamp.format(nanoseconds: Clock.wallNanoseconds()))
                members["pin"] = pin
            }
            let hadOne = Files.exists(path)
            try PluginFiles.exchange(staging, at: path)
            return hadOne
        } catch {
            try? Files.removeTree(staging)
            throw error
        }
    }
}
