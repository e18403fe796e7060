import DomeModel
import DomeSchema

// What a manifest claims, held against what it asks for and what its schema takes.
extension LintRules {
    static func checkExamples(_ tool: Tool, _ report: inout LintReport) {
        let examples = tool.manifest.advice.examples
        if examples.isEmpty {
            report.add(
                .warning, "examples", at: "/examples", "there is no example",
                "give one or two tasks with a title each; models copy them")
        }
        let allowed = tool.manifest.permissions + tool.manifest.optionalPermissions
        for (index, example) in examples.enumerated() {
            let violations = tool.inputSchema.validate(example.task)
            for violation in violations {
                report.add(
                    .error, "example-fits", at: "/examples/\(index)/task" + violation.pointer, violation.message,
                    "mend the example, or input.schema.json")
            }
            for text in example.grants {
                guard let grant = try? Permission(parsing: text), !grant.isWithin(allowed) else { continue }
                report.add(
                    .error, "example-grants", at: "/examples/\(index)/grants",
                    "\(text) is nothing that the tool may be granted",
                    "add it to \"optional_permissions\", or take it out of the example")
            }
        }
    }

    static func checkAnnotations(_ tool: Tool, _ report: inout LintReport) {
        let (manifest, advice) = (tool.manifest, tool.manifest.advice)
        let all = manifest.permissions + manifest.optionalPermissions
        let writes = all.contains { if case .writePath = $0 { true } else { false } }
        let isOpen = all.contains { $0 == .networkFull || $0 == .unixSockets }
        if advice.isReadOnly == nil || advice.isOpenWorld == nil {
            report.add(
                .warning, "annotations", at: "/annotations", "\"read_only\" or \"open_world\" is not said",
                "say both, and for a tool that changes something \"destructive\" and \"idempotent\"")
        }
        func untrue(_ name: String, _ why: String, _ remedy: String) {
            report.add(.error, "annotations-truthful", at: "/annotations/" + name, why, remedy)
        }
        if advice.isReadOnly == true {
            if writes {
                untrue("read_only", "it may be granted fs.write, so it may change files", "set it to false")
            }
            if !manifest.sideEffects.isEmpty {
                untrue(
                    "read_only", "\"side_effects\" has \(manifest.sideEffects.count)", "set it to false, or drop them")
            }
            if advice.isDestructive == true {
                untrue("destructive", "what only reads destroys nothing", "set it to false")
            }
        }
        if advice.isReadOnly == false, !writes, !isOpen, manifest.sideEffects.isEmpty {
            untrue("read_only", "nothing that it asks for lets it change anything", "set it to true")
        }
        if advice.isOpenWorld == false, isOpen {
            untrue("open_world", "net.full or unix lets it reach beyond this machine's files", "set it to true")
        }
        if advice.isOpenWorld == true, !isOpen {
            untrue("open_world", "without net.full or unix it reaches nothing beyond its grants", "set it to false")
        }
        if writes, manifest.sideEffects.isEmpty {
            report.add(
                .error, "side-effects", at: "/side_effects", "it may be granted fs.write and names no side effect",
                "say what a run changes, such as \"writes granted folders\"")
        }
    }

    /// Programs that every Debian system has.
    private static let essential: Set<String> = [
        "sh", "bash", "env", "cat", "echo", "printf", "true", "false", "sleep", "awk", "sed", "grep", "find", "tar",
        "ls",
        "head", "tail", "sort", "wc", "date", "cp", "mv", "rm", "mkdir",
    ]

    static func checkNeeds(_ tool: Tool, _ report: inout LintReport) {
        let manifest = tool.manifest
        guard case .executor(_, let entrypoint) = manifest.execution,
            let program = entrypoint["argv"]?.arrayValue?.first?.stringValue, !program.hasPrefix("/job/")
        else { return }
        let name = program.split(separator: "/").last.map(String.init) ?? program
        let declared = manifest.requirements.flatMap(\.names)
        guard !essential.contains(name), !declared.contains(name) else { return }
        report.add(
            .warning, "requires", at: "/requires/programs", "\(name) is not on every machine, and nothing says so",
            "declare it with the package that brings it")
    }
}
