import DomeModel
import DomePlatform

extension Verb {
    /// `dome plugin new`
    static let pluginNew = Verb(
        words: ["plugin", "new"], summary: "start a plugin: a folder that builds with 'make'",
        details: [
            "Makes the folder NAME with a small adapter of two actions, which become the tools NAME.hello and "
                + "NAME.count. 'make' builds it, 'dome plugin check .' tries it out, 'dome plugin install .' makes its "
                + "tools known. 'dome help plugin new' names the languages that this installation has.",
            "The plugin's id is local.NAME; give --id what is yours when others are to use it.",
        ],
        positionals: [PositionalSpec("NAME", help: "the folder, and the first part of the tools' ids")],
        options: [
            OptionSpec(
                "--lang", short: "-l", value: "LANGUAGE", help: "c (the default), cpp, nim, python, rust or swift",
                completion: .suggestions(["c", "cpp", "nim", "python", "rust", "swift"])),
            OptionSpec("--id", value: "ID", help: "the plugin's id, in reverse DNS: org.example.thing"),
        ],
        examples: ["dome plugin new demo --lang c && cd demo && make && dome plugin check ."]
    ) { invocation throws(CommandFailure) in
        let name = invocation.argument(0)
        guard isPluginName(name) else {
            throw .usage(
                "'\(name)' is no name for a plugin: use a-z, 0-9, - and _, at most 32, a letter or digit at both ends")
        }
        let id = invocation.value("--id") ?? "local.\(name)"
        guard isPluginID(id) else {
            throw .usage("'\(id)' is no id for a plugin: write it like org.example.thing")
        }
        let language = invocation.value("--lang") ?? "c"
        try local { () throws(DomeError) in
            let templates = try Directories.ofExecutable() + "/../share/dome/templates"
            let known = try PluginTemplate.languages(in: templates)
            guard known.contains(language) else {
                throw DomeError(
                    .notFound,
                    "there is no template for '\(language)'; there are \(known.joined(separator: ", ")) in \(templates)"
                )
            }
            let template = PluginTemplate(folder: templates, language: language)
            try WholeFolder.make(name, try template.files(name: name, id: id))
        }
        try invocation.print(
            json: ["folder": .string(name), "id": .string(id), "language": .string(language)],
            text: "made \(name), the plugin \(id); now: cd \(name) && make && dome plugin check .\n")
        return ExitStatus.success
    }
}

/// As Registry/schema/plugin.schema.json has it.
func isPluginName(_ text: String) -> Bool {
    func isPlain(_ byte: UInt8?) -> Bool {
        byte.map { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) } ?? false
    }
    return text.utf8.count <= 32 && isPlain(text.utf8.first) && isPlain(text.utf8.last)
        && text.utf8.allSatisfy { isPlain($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") }
}

/// Two or more such names with dots between; 128 bytes at most.
func isPluginID(_ text: String) -> Bool {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    return text.utf8.count <= 128 && parts.count >= 2 && parts.allSatisfy { isPluginName(String($0)) }
}
