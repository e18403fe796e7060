package import DomeModel
import DomePlatform
package import DomeSchema

/// Reads a registry as an author's critic: does each tool load, does its manifest say what it does, and is that what it
/// asks for? Blocks on the disk.
package struct RegistryLint {
    /// The manifests' own schema; nil: nobody has it.
    private let manifestSchema: JSONSchema?

    package init(manifestSchema: JSONSchema?) { self.manifestSchema = manifestSchema }

    /// The tools' folders below a registry. E_NOT_FOUND if it has none.
    package static func toolFolders(of registry: String) throws(DomeError) -> [String] {
        let path = registry + "/tools"
        guard Files.isDirectory(path) else {
            throw DomeError(.notFound, "\(registry) is no registry: it has no folder \"tools\"")
        }
        return try Files.list(path).filter { !$0.hasPrefix(".") }.map { path + "/" + $0 }.filter(Files.isDirectory)
    }

    /// What there is to say of one tool, what is in error first.
    package func findings(in folder: String) -> [LintFinding] {
        var report = LintReport(folder: folder)
        checkForm(&report)
        let areSchemasSound = checkSchemas(&report)
        do throws(DomeError) {
            let tool = try ToolFolder.load(folder)
            LintRules.checkWords(tool, &report)
            LintRules.checkParameters(tool, &report)
            LintRules.checkExamples(tool, &report)
            LintRules.checkAnnotations(tool, &report)
            LintRules.checkNeeds(tool, &report)
        } catch {
            // What is wrong with the schemas has been said, with its place.
            if areSchemasSound {
                report.add(.error, "loads", ToolFolder.manifestName, "", error.message, Self.leftOut)
            }
        }
        return report.findings.enumerated().sorted { left, right in
            left.element.severity != right.element.severity
                ? left.element.severity > right.element.severity : left.offset < right.offset
        }.map(\.element)
    }

    private static let leftOut = "mend it; until then the tool is left out"

    /// The schemas against the metaschema: all of their mistakes, where loading ends at the first. Whether there is none.
    private func checkSchemas(_ report: inout LintReport) -> Bool {
        let count = report.findings.count
        let (input, output) = (ToolFolder.inputSchemaName, ToolFolder.outputSchemaName)
        for name in Files.exists(report.folder + "/" + output) ? [input, output] : [input] {
            do throws(DomeError) {
                let tree = try ToolFolder.tree(report.folder, name)
                for violation in JSONSchema.formViolations(tree) {
                    report.add(.error, "schema-form", name, violation.pointer, violation.message, Self.leftOut)
                }
                _ = try JSONSchema.compile(tree, what: name, options: .strict)
            } catch  where !report.findings.dropFirst(count).contains(where: { $0.file == name }) {
                report.add(.error, "schema-compiles", name, "", error.message, Self.leftOut)
            } catch {
                continue
            }
        }
        return report.findings.count == count
    }

    /// The manifest against its schema: all of its mistakes, where loading it ends at the first.
    private func checkForm(_ report: inout LintReport) {
        guard let manifestSchema,
            let bytes = try? Files.read(report.folder + "/" + ToolFolder.manifestName, limitBytes: 1 << 20),
            let tree = try? JSONTree.parse(bytes, what: ToolFolder.manifestName)
        else { return }
        for violation in manifestSchema.validate(tree) {
            report.add(
                .error, "manifest-schema", ToolFolder.manifestName, violation.pointer, violation.message,
                "see Registry/schema/tool.schema.json")
        }
    }
}

/// Findings on the way.
struct LintReport {
    let folder: String
    private(set) var findings: [LintFinding] = []

    init(folder: String) { self.folder = folder }

    mutating func add(
        _ severity: LintFinding.Severity, _ rule: String, _ file: String, _ pointer: String, _ message: String,
        _ remedy: String
    ) {
        findings.append(
            LintFinding(
                folder: folder, file: file, pointer: pointer, rule: rule, severity: severity, message: message,
                remedy: remedy))
    }

    /// A finding in tool.json.
    mutating func add(
        _ severity: LintFinding.Severity, _ rule: String, at pointer: String, _ message: String, _ remedy: String
    ) {
        add(severity, rule, ToolFolder.manifestName, pointer, message, remedy)
    }
}
