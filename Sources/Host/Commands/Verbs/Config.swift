import DomeCatalog
import DomeModel
import DomePlatform

extension Verb {
    /// `dome config check`
    static let configCheck = Verb(
        words: ["config", "check"], summary: "check the daemon's settings before it reads them",
        details: [
            "Says where and how a settings file is wrong, and what to do. The daemon refuses such a file: at its start "
                + "it does not start, at a reload it keeps what it has."
        ],
        positionals: [
            PositionalSpec("FILE", help: "another file than the daemon's", isOptional: true, completion: .files)
        ],
        examples: ["dome config check", "dome config check ./config.json"]
    ) { invocation throws(CommandFailure) in
        let own = try configurationPath()
        let path = invocation.positionals.first ?? own
        guard invocation.positionals.isEmpty || Files.exists(path) else {
            throw CommandFailure("there is no file \(path)", status: ExitStatus.notFound)
        }
        _ = try local { () throws(DomeError) in try Configuration(path: path) }
        let isThere = Files.exists(path)
        try invocation.print(
            json: ["path": .string(path), "exists": .bool(isThere), "valid": true],
            text: isThere ? "\(path) is in order\n" : "there is no \(path): the defaults are in force\n")
        return ExitStatus.success
    }

    /// `dome config show`
    static let configShow = Verb(
        words: ["config", "show"], summary: "show every setting of the daemon, its value and what it does",
        details: [
            "As the file has them now; a daemon that runs has read them at its start, and again when it was told to "
                + "('systemctl --user reload domed', or SIGHUP). dome-config(5) explains them.",
            "With --schema, the JSON Schema of the file, for editors.",
        ],
        options: [OptionSpec("--schema", help: "print the JSON Schema of the file")],
        examples: ["dome config show", "dome config show -o json", "dome config show --schema"]
    ) { invocation throws(CommandFailure) in
        if invocation.has("--schema") {
            try Output.stdout.write(Setting.schemaDocument.indented)
            return ExitStatus.success
        }
        let path = try configurationPath()
        let (configuration, set) = try local { () throws(DomeError) in
            (try Configuration(path: path), try Configuration.members(path).map(\.key))
        }
        try invocation.print(
            json: [
                "path": .string(path), "exists": .bool(Files.exists(path)),
                "settings": .array(Setting.all.map { document($0, configuration, isSet: set.contains($0.key)) }),
            ],
            text: table(configuration, set, invocation.style))
        return ExitStatus.success
    }

    /// `dome config path`
    static let configPath = Verb(
        words: ["config", "path"], summary: "print where the daemon's settings file is, or would be",
        examples: ["dome config path"]
    ) { invocation throws(CommandFailure) in
        let path = try configurationPath()
        try invocation.print(
            json: ["path": .string(path), "exists": .bool(Files.exists(path))], text: path + "\n")
        return ExitStatus.success
    }

    private static func configurationPath() throws(CommandFailure) -> String {
        try local { () throws(DomeError) in try Directories().config + "/config.json" }
    }

    private static func document(_ setting: Setting, _ configuration: Configuration, isSet: Bool) -> JSONValue {
        [
            "key": .string(setting.key), "value": setting.read(configuration),
            "default": setting.read(Configuration()), "source": isSet ? "file" : "default",
            "takes_effect": .string(setting.effect.rawValue), "help": .string(setting.help),
        ]
    }

    private static func table(_ configuration: Configuration, _ set: [String], _ style: Style) -> String {
        var output = ""
        for setting in Setting.all {
            let value = setting.read(configuration).compact
            let source = set.contains(setting.key) ? "" : "  (default)"
            output += style.bold(setting.key) + " = " + value + source + "\n"
            let when = setting.effect == .restart ? " Takes effect when domed starts." : ""
            output += "    " + setting.help + when + "\n"
        }
        return output
    }
}
