package import DomeModel
package import DomeSchema

/// One tool, loaded and checked: its manifest, its schemas and the files it brings. Immutable, so it may be held
/// by a running job while the registry changes.
package final class Tool: Sendable {
    package let manifest: ToolManifest
    /// The tool's folder.
    package let directory: String
    /// Its name alone: the id, or the id and a version.
    package let folderName: String
    /// tool.json as a document: what an executor gets as "manifest".
    package let manifestDocument: JSONValue
    /// Checks a task.
    package let inputSchema: JSONSchema
    /// Describes a line of output; nil if the tool declares none.
    package let outputSchema: JSONSchema?
    /// The documents as they were read.
    package let inputSchemaText: String
    package let outputSchemaText: String?
    package let manifestText: String
    /// The files of `manifest.files`, ready for a launch plan: `.tool/NAME` below /job, mode 0555.
    package let files: [PlannedFile]
    package let hashes: ToolHashes
    /// The plugin whose action it is; nil for a tool of the registry.
    package let plugin: PluginReference?

    init(
        manifest: ToolManifest, directory: String, manifestDocument: JSONValue, inputSchema: JSONSchema,
        outputSchema: JSONSchema?, texts: (manifest: String, input: String, output: String?), files: [PlannedFile],
        hashes: ToolHashes, plugin: PluginReference? = nil
    ) {
        self.manifest = manifest
        self.directory = directory
        folderName = directory.split(separator: "/").last.map(String.init) ?? manifest.id
        self.manifestDocument = manifestDocument
        self.inputSchema = inputSchema
        self.outputSchema = outputSchema
        manifestText = texts.manifest
        inputSchemaText = texts.input
        outputSchemaText = texts.output
        self.files = files
        self.hashes = hashes
        self.plugin = plugin
    }

    /// Where the schemas are found by a person, e.g. for `input_schema_ref`.
    package var inputSchemaPath: String { place(ToolFolder.inputSchemaName) }
    package var outputSchemaPath: String? { outputSchema == nil ? nil : place(ToolFolder.outputSchemaName) }

    /// A plugin's schemas lie in its library: GetToolSchema has them.
    private func place(_ name: String) -> String {
        plugin.map { "plugin:\($0.id)/\(manifest.id)/\(name)" } ?? directory + "/" + name
    }

    /// Says that it shall not be used any more; nil if it may.
    package var deprecationRemark: String? {
        let instead = manifest.advice.deprecation
        return instead.isEmpty ? nil : "\(manifest.id) \(manifest.version) is deprecated: \(instead)"
    }

    /// The names of the task's members, as its schema has them at the top.
    var inputProperties: [String] {
        let schema = try? JSONParser.parse(inputSchemaText, what: "input schema")
        return schema?["properties"]?.objectValue?.keys ?? []
    }

    /// Checks a task, numbers as they were written. E_INVALID_REQUEST with every violation and its JSON Pointer.
    package func checkTask(_ task: JSONTree) throws(DomeError) {
        let violations = inputSchema.validate(task)
        guard !violations.isEmpty else { return }
        let list = violations.map(\.description).joined(separator: "; ")
        throw DomeError(.invalidRequest, "the task does not fit the input schema of \(manifest.id): \(list)")
    }
}

/// SHA-256 sums of what makes a tool, in lower-case hexadecimal. JSON documents are hashed in canonical form
/// (RFC 8785), so that layout does not count.
package struct ToolHashes: Sendable, Equatable {
    package var manifest: String
    package var inputSchema: String
    /// Empty if there is none.
    package var outputSchema: String
    /// By file name.
    package var files: [(name: String, sha256: String)]
    /// Over all of the above: changes when anything about the tool does.
    package var material: String

    package static func == (left: ToolHashes, right: ToolHashes) -> Bool { left.material == right.material }
}
