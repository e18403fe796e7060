import DomeCatalog
import DomeModel
import DomePlatform
import DomeSchema
import Glibc

extension Verb {
    /// `dome registry lint`
    static let registryLint = Verb(
        words: ["registry", "lint"], summary: "look through tools' folders as a critic",
        details: [
            "FOLDER is a registry, with a folder \"tools\"; without one, every registry that the daemon looks in. Each "
                + "finding has the file, the place in it, the rule's name and what to do. Errors are tools that do not "
                + "load, examples that do not fit, and annotations that what the tool asks for contradicts; warnings are "
                + "what makes a tool hard to find or to call.",
            "Exits with 0 if there is no error (with --strict: nothing at all), with 1 if there is, with 66 if FOLDER is "
                + "no registry.",
        ],
        positionals: [PositionalSpec("FOLDER", help: "a registry", isOptional: true, completion: .files)],
        options: [OptionSpec("--strict", help: "let warnings fail, too")],
        examples: ["dome registry lint Registry", "dome registry lint --strict -o json ~/tools"]
    ) { invocation throws(CommandFailure) in
        let places = try local { () throws(DomeError) in try RegistryPlaces() }
        let named = invocation.positionals.first
        let registries =
            named.map { [$0] } ?? places.path.filter { $0.hasPrefix("/") && Files.isDirectory($0 + "/tools") }
        let lint = RegistryLint(manifestSchema: places.manifestSchema(beside: named))
        var findings: [LintFinding] = []
        var count = 0
        for registry in registries {
            let folders = try local { () throws(DomeError) in try RegistryLint.toolFolders(of: registry) }
            count += folders.count
            for folder in folders { findings += lint.findings(in: folder) }
        }
        let errors = findings.count { $0.severity == .error }
        let summary = "\(count) tools: \(errors) errors, \(findings.count - errors) warnings\n"
        try invocation.print(
            json: [
                "tools": .integer(Int64(count)), "errors": .integer(Int64(errors)),
                "warnings": .integer(Int64(findings.count - errors)), "findings": .array(findings.map(\.json)),
            ], text: findings.map { $0.text(invocation.style) }.joined() + summary)
        let isGood = errors == 0 && (findings.isEmpty || !invocation.has("--strict"))
        return isGood ? ExitStatus.success : ExitStatus.failure
    }
}

/// Where registries are, for verbs that look at them without the daemon.
struct RegistryPlaces {
    let path: [String]
    private let programs: String?

    init() throws(DomeError) {
        programs = try? Directories.ofExecutable()
        path = Catalog.searchPath(
            directories: try Directories(), executableDirectory: programs,
            registryPath: getenv("DOME_REGISTRY_PATH").map { String(cString: $0) })
    }

    /// The schema of tool.json: the installed one, else the one of the registry that is looked at.
    func manifestSchema(beside registry: String?) -> JSONSchema? {
        let installed = programs.map { [$0 + "/../share/dome/registry"] } ?? []
        for folder in installed + (registry.map { [$0] } ?? []) {
            let file = folder + "/schema/tool.schema.json"
            guard let bytes = try? Files.read(file, limitBytes: 1 << 20),
                let tree = try? JSONTree.parse(bytes, what: file)
            else { continue }
            if let schema = try? JSONSchema.compile(tree, what: file) { return schema }
        }
        return nil
    }
}

extension LintFinding {
    fileprivate var json: JSONValue {
        [
            "file": .string(folder + "/" + file), "pointer": .string(pointer), "rule": .string(rule),
            "severity": .string(severity.rawValue), "message": .string(message), "remedy": .string(remedy),
        ]
    }

    fileprivate func text(_ style: Style) -> String {
        let place = Rendered.line(folder + "/" + file) + (pointer.isEmpty ? "" : " " + Rendered.line(pointer))
        let word = severity == .error ? style.red("error") : style.bold("warning")
        return "\(place)\n    \(word) \(rule): \(Rendered.line(message))\n    \(Rendered.line(remedy))\n"
    }
}
