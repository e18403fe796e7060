import DomeAsync
import DomeModel
import DomePlatform

extension Verb {
    private static let plugin = PositionalSpec(
        "PLUGIN", help: "its id, or the name its tools begin with", completion: .plugins)

    /// `dome plugin enable`
    static let pluginEnable = Verb(
        words: ["plugin", "enable"], summary: "let a plugin be used again",
        details: [
            "Lets it out of the quarantine that crashes have put it in, too. What differs from its pin stays there."
        ],
        positionals: [plugin], examples: ["dome plugin enable org.example.thing"]
    ) { invocation async throws(CommandFailure) in try await set(true, invocation) }

    /// `dome plugin disable`
    static let pluginDisable = Verb(
        words: ["plugin", "disable"], summary: "keep a plugin from being used",
        details: ["Jobs that run go on; its tools are refused from then on, until 'dome plugin enable'."],
        positionals: [plugin], examples: ["dome plugin disable org.example.thing"]
    ) { invocation async throws(CommandFailure) in try await set(false, invocation) }

    @Core
    private static func set(_ isEnabled: Bool, _ invocation: Invocation) async throws(CommandFailure) -> Int32 {
        let id = try local { () throws(DomeError) in
            let shelf = try PluginShelf.here()
            let id = try shelf.entry(invocation.argument(0)).id
            try shelf.settings.change(id) { members in
                members["enabled"] = .bool(isEnabled)
                if isEnabled { members["enabled_at"] = .string(Timestamp.format(nanoseconds: Clock.wallNanoseconds())) }
            }
            return id
        }
        _ = try await invocation.pluginsOfDaemon()
        try invocation.print(
            json: ["plugin_id": .string(id), "enabled": .bool(isEnabled)],
            text: "\(Rendered.line(id)) is \(isEnabled ? "enabled" : "disabled")\n")
        return ExitStatus.success
    }
}
