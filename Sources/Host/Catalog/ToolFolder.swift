import DomeCrypto
import DomeModel
import DomePlatform
import DomeSchema

/// Reads one tool's folder.
enum ToolFolder {
    static let manifestName = "tool.json"
    static let inputSchemaName = "input.schema.json"
    static let outputSchemaName = "output.schema.json"
    static let reservedNames = [manifestName, inputSchemaName, outputSchemaName]

    /// Of a JSON file.
    private static let documentLimitBytes = 1 << 20
    /// Of all `files` of a tool together: each job gets a copy.
    private static let filesLimitBytes = 1 << 20

    /// The tool in `path`, whose last component is its id. E_INVALID_REQUEST names file, member and reason.
    static func load(_ path: String) throws(DomeError) -> Tool {
        try ToolFile.refuseForeignWriters(path)
        let manifestFile = try document(path, manifestName)
        let manifest = try ToolManifest(manifestFile.value, what: manifestName)
        guard path.hasSuffix("/" + manifest.id) || path.hasSuffix("/\(manifest.id)@\(manifest.version)") else {
            throw DomeError(
                .invalidRequest,
                "\(manifestName): \"tool_id\" is \(manifest.id), but the folder has another name; it must be "
                    + "\(manifest.id) or \(manifest.id)@\(manifest.version)")
        }
        let inputFile = try document(path, inputSchemaName)
        let input = try JSONSchema.compile(inputFile.tree, what: inputSchemaName, options: .strict)
        var output: (schema: JSONSchema, file: Document)?
        if Files.exists(path + "/" + outputSchemaName) {
            let file = try document(path, outputSchemaName)
            output = (try JSONSchema.compile(file.tree, what: outputSchemaName, options: .strict), file)
        }
        guard manifest.output == .lines || output != nil else {
            throw DomeError(
                .invalidRequest, "\(manifestName): \"output\": a result needs \(outputSchemaName) to say what it is")
        }
        let files = try plannedFiles(path, manifest.files)
        return Tool(
            manifest: manifest, directory: path, manifestDocument: manifestFile.value, inputSchema: input,
            outputSchema: output?.schema,
            texts: (manifestFile.text, inputFile.text, output?.file.text), files: files,
            hashes: try hashes(manifestFile, inputFile, output?.file, names: manifest.files, files))
    }

    /// One of its JSON files, read and no more.
    static func tree(_ folder: String, _ name: String) throws(DomeError) -> JSONTree {
        try JSONTree.parse(try ToolFile.read(folder, name, limitBytes: documentLimitBytes), what: name)
    }

    private struct Document {
        /// With numbers as they were written, which a value rounds.
        var tree: JSONTree
        var value: JSONValue
        var text: String
        var sha256: String
    }

    private static func document(_ folder: String, _ name: String) throws(DomeError) -> Document {
        let bytes = try ToolFile.read(folder, name, limitBytes: documentLimitBytes)
        let tree = try JSONTree.parse(bytes, what: name)
        let value = try tree.value(what: name)
        let sha256 = try SHA256.digest(value.canonical).hex
        return Document(tree: tree, value: value, text: String(decoding: bytes, as: UTF8.self), sha256: sha256)
    }

    private static func plannedFiles(_ folder: String, _ names: [String]) throws(DomeError) -> [PlannedFile] {
        var files: [PlannedFile] = []
        var rest = filesLimitBytes
        for name in names {
            let bytes = try ToolFile.read(folder, name, limitBytes: rest)
            rest -= bytes.count
            files.append(PlannedFile(path: ".tool/" + name, mode: 0o555, bytes: bytes))
        }
        return files
    }

    private static func hashes(
        _ manifest: Document, _ input: Document, _ output: Document?, names: [String], _ files: [PlannedFile]
    ) throws(DomeError) -> ToolHashes {
        var fileHashes: [(name: String, sha256: String)] = []
        var material: [String] = [manifest.sha256, input.sha256, output?.sha256 ?? ""]
        for (name, file) in zip(names, files) {
            fileHashes.append((name, try SHA256.digest(file.bytes).hex))
            material.append(name + "=" + fileHashes[fileHashes.count - 1].sha256)
        }
        let sum = try SHA256.digest(Array(material.joined(separator: "\n").utf8)).hex
        return ToolHashes(
            manifest: manifest.sha256, inputSchema: input.sha256, outputSchema: output?.sha256 ?? "",
            files: fileHashes, material: sum)
    }
}
