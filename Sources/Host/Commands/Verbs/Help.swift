import DomeModel

extension Verb {
    /// `dome help`
    static let help = Verb(
        words: ["help"], summary: "explain dome or one of its commands",
        positionals: [
            PositionalSpec("COMMAND", help: "what to explain, e.g. run", isOptional: true),
            PositionalSpec("SUBCOMMAND", help: "its second word, e.g. show", isOptional: true),
        ],
        examples: ["dome help run"]
    ) { invocation throws(CommandFailure) in
        let words = invocation.positionals
        guard !words.isEmpty else {
            try invocation.print(json: HelpText.document, text: HelpText.overview(invocation.style))
            return ExitStatus.success
        }
        let fitting = CommandLineTool.verbs.filter { $0.words.starts(with: words) && !$0.isHidden }
        guard !fitting.isEmpty else {
            throw .usage("there is no command '\(words.joined(separator: " "))'. See 'dome help'.")
        }
        try invocation.print(
            json: .array(fitting.map(HelpText.document)),
            text: fitting.map { HelpText.text($0, invocation.style) }.joined(separator: "\n"))
        return ExitStatus.success
    }
}

/// Help, made from the verbs' descriptions.
enum HelpText {
    static func overview(_ style: Style) -> String {
        var output = "dome: find a tool, run it in a sandbox, follow its output\n\n"
        output += style.bold("usage:") + " dome COMMAND [ARGUMENT|OPTION]…\n\n" + style.bold("commands:") + "\n"
        let verbs = CommandLineTool.verbs.filter { !$0.isHidden }
        output += columns(verbs.map { ($0.name, $0.summary) })
        output += "\n" + style.bold("options of every command:") + "\n"
        output += columns(OptionSpec.global.map { ($0.synopsis, $0.help) })
        output += "\n" + style.bold("environment:") + "\n"
        output += columns(environment)
        output += "\n" + style.bold("exit status:") + "\n"
        output += columns(ExitStatus.table.map { (String($0.status), $0.meaning) })
        return output + "\n'dome help COMMAND' explains a command; dome(1) is the manual.\n"
    }

    static let environment: [(String, String)] = [
        ("DOMED_ENDPOINT", "the daemon's socket (unix:///path) or address (host:port)"),
        ("DOMED_TOKEN_FILE", "the token for DOMED_ENDPOINT=host:port (default: tcp-token in the state directory)"),
        ("DOME_NO_SYSTEMD", "if set, start the daemon directly and not by its systemd unit"),
        ("DOME_STAGE", "dev, staging or prod: whose socket and folders; else dev when run from a build folder"),
        ("NO_COLOR", "if set, no colours"),
        ("XDG_RUNTIME_DIR, XDG_STATE_HOME, XDG_CONFIG_HOME, XDG_DATA_HOME", "where dome keeps its things"),
    ]

    static func text(_ verb: Verb, _ style: Style) -> String {
        var output = style.bold("usage:") + " \(verb.synopsis)\n\n  \(verb.summary)\n"
        for paragraph in verb.details { output += "\n" + wrap(paragraph, indentation: 2) }
        if !verb.positionals.isEmpty {
            output += "\n" + style.bold("arguments:") + "\n" + columns(verb.positionals.map { ($0.name, $0.help) })
        }
        output += "\n" + style.bold("options:") + "\n"
        output += columns(verb.allOptions.map { ($0.synopsis, $0.help) })
        if !verb.examples.isEmpty {
            output += "\n" + style.bold("examples:") + "\n" + verb.examples.map { "  \($0)\n" }.joined()
        }
        return output
    }

    private static func columns(_ rows: [(String, String)]) -> String {
        // A name too long for the column gets a line of its own.
        let width = rows.map { $0.0.count }.filter { $0 <= 26 }.max() ?? 0
        return rows.map { name, help in
            let isLong = name.count > 26
            let gap =
                isLong
                ? "\n" + String(repeating: " ", count: width + 4)
                : String(repeating: " ", count: width - name.count + 2)
            return "  " + name + gap + help + "\n"
        }.joined()
    }

    private static func wrap(_ text: String, indentation: Int) -> String {
        let margin = String(repeating: " ", count: indentation)
        var output = ""
        var line = margin
        for word in text.split(separator: " ") {
            if line.count + word.count + 1 > 90, line.count > indentation {
                output += line + "\n"
                line = margin
            }
            line += (line.count > indentation ? " " : "") + word
        }
        return output + line + "\n"
    }

    static var document: JSONValue {
        [
            "version": .string(DomeVersion.text),
            "commands": .array(CommandLineTool.verbs.filter { !$0.isHidden }.map(document)),
        ]
    }

    static func document(_ verb: Verb) -> JSONValue {
        [
            "command": .string(verb.name), "synopsis": .string(verb.synopsis), "summary": .string(verb.summary),
            "details": .array(verb.details.map { .string($0) }),
            "arguments": .array(verb.positionals.map { ["name": .string($0.name), "help": .string($0.help)] }),
            "options": .array(
                verb.allOptions.map { option in
                    [
                        "name": .string(option.name), "short": option.short.map { .string($0) } ?? .null,
                        "value": option.value.map { .string($0) } ?? .null, "help": .string(option.help),
                    ]
                }),
            "examples": .array(verb.examples.map { .string($0) }),
        ]
    }
}
