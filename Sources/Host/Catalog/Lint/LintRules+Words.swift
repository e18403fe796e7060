import DomeModel
import DomeSchema

/// The rules, by what they look at.
enum LintRules {}

// Words: what a model or a person has to choose by.
extension LintRules {
    private static let shortDescriptionBytes = 20
    private static let descriptionBytes = 60

    static func checkWords(_ tool: Tool, _ report: inout LintReport) {
        let manifest = tool.manifest
        let parts = manifest.id.split { ".-_".contains($0) }
        if parts.count < 2 || parts.contains(where: { $0.count < 2 }) {
            report.add(
                .warning, "id-words", at: "/tool_id", "\(manifest.id) is not two words or more",
                "name the thing and what is done with it, such as text.search")
        }
        if !manifest.kind.allSatisfy({ $0.isLowercase || $0 == "-" }) {
            report.add(
                .warning, "kind-word", at: "/kind", "\"\(manifest.kind)\" is not one word in lower case",
                "take a word that other tools have, such as search or files")
        }
        if manifest.title.count < 5 || manifest.title.hasSuffix(".") || manifest.title == manifest.id {
            report.add(
                .warning, "title-words", at: "/title", "\"\(manifest.title)\" is no title of a few words",
                "say what it does in two to six words, without a full stop, such as \"Search text\"")
        }
        let short = manifest.shortDescription
        let isSentence = short.hasSuffix(".") && short.first?.isUppercase == true
        if !isSentence || short.utf8.count < shortDescriptionBytes || short.dropLast() == manifest.title {
            report.add(
                .warning, "short-description", at: "/short_description",
                "\"\(short)\" is not one whole sentence that says more than the title",
                "write a sentence with a capital letter and a full stop: what it does, and of what")
        }
        if manifest.description.utf8.count < descriptionBytes || manifest.description == short {
            report.add(
                .warning, "description", at: "/description",
                "it says no more than the short description, in \(manifest.description.utf8.count) bytes",
                "say what it takes, what it writes, what has to be granted and what happens when nothing is found")
        }
    }
}

// Parameters: what a caller has to fill in.
extension LintRules {
    private static let depthLimit = 8
    /// Keywords that say what a value may be.
    private static let telling = [
        "type", "enum", "const", "$ref", "$dynamicRef", "oneOf", "anyOf", "allOf", "if", "not",
    ]

    static func checkParameters(_ tool: Tool, _ report: inout LintReport) {
        for (schema, file) in [(tool.inputSchema, ToolFolder.inputSchemaName)]
            + (tool.outputSchema.map { [($0, ToolFolder.outputSchemaName)] } ?? [])
        {
            for warning in schema.warnings {
                report.add(.warning, "schema-warning", file, "", warning, "mend it; it has no effect as it stands")
            }
        }
        guard let root = try? JSONParser.parse(tool.inputSchemaText, what: ToolFolder.inputSchemaName) else { return }
        check(root, at: "", depth: 0, &report)
        if tool.outputSchema == nil {
            report.add(
                .warning, "output-schema", ToolFolder.outputSchemaName, "", "nothing says what the output is",
                "describe a line of it, or the result, in \(ToolFolder.outputSchemaName)")
        }
    }

    private static func check(_ schema: JSONValue, at pointer: String, depth: Int, _ report: inout LintReport) {
        guard depth < depthLimit, let object = schema.objectValue else { return }
        let file = ToolFolder.inputSchemaName
        if let properties = object["properties"]?.objectValue {
            if object["additionalProperties"] == nil, object["unevaluatedProperties"] == nil {
                report.add(
                    .warning, "closed-object", file, pointer, "members that nobody knows are taken and ignored",
                    "set \"additionalProperties\" to false, or to true if that is meant")
            }
            for (name, value) in properties.members {
                let place = pointer + "/properties/" + JSONValue.pointerPart(name)
                checkParameter(name, value, file, place, &report)
                check(value, at: place, depth: depth + 1, &report)
            }
        }
        if let items = object["items"] { check(items, at: pointer + "/items", depth: depth + 1, &report) }
    }

    private static func checkParameter(
        _ name: String, _ schema: JSONValue, _ file: String, _ place: String, _ report: inout LintReport
    ) {
        guard let object = schema.objectValue else { return }
        if object["description"]?.stringValue?.isEmpty != false, object["$ref"] == nil {
            report.add(
                .warning, "parameter-description", file, place, "\(name) has no description",
                "say what it means, in which unit, and what leaving it out means")
        }
        if !telling.contains(where: { object[$0] != nil }) {
            report.add(
                .warning, "parameter-type", file, place, "any value at all fits \(name)", "give it a \"type\"")
        }
        let isWords = name.split(separator: "_", omittingEmptySubsequences: false).allSatisfy { word in
            !word.isEmpty && word.utf8.allSatisfy { (0x61...0x7a).contains($0) || (0x30...0x39).contains($0) }
        }
        if !isWords || name.count < 2 {
            report.add(
                .warning, "parameter-name", file, place, "\"\(name.prefix(64))\" is not words in lower case",
                "write it such as max_matches")
        }
    }
}
