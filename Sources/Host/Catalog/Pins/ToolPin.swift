package import DomeModel

/// What a tool of the registry was when it was first run, or when a person last accepted it: what `PluginPin` is for
/// plugins.
package struct ToolPin: Sendable {
    /// The tool's folder, without its path: an id, or an id and a version.
    package let name: String
    /// Over everything that makes the tool.
    package let material: String
    /// The version of dome that recorded it.
    package let daemonVersion: String
    private let manifest: JSONValue
    private let inputSchema: JSONValue
    private let outputSchema: JSONValue?
    /// SHA-256 by name.
    private let files: [String: String]

    package init(_ tool: Tool, daemonVersion: String) {
        name = tool.folderName
        material = tool.hashes.material
        self.daemonVersion = daemonVersion
        manifest = tool.manifestDocument
        inputSchema = Self.document(tool.inputSchemaText)
        outputSchema = tool.outputSchemaText.map(Self.document)
        files = Dictionary(tool.hashes.files.map { ($0.name, $0.sha256) }) { first, _ in first }
    }

    /// The tool's version.
    package var version: String { manifest["version"]?.stringValue ?? "" }

    /// As it is kept. Errors name the member.
    package init(_ document: JSONValue, what: String) throws(DomeError) {
        func text(_ name: String) throws(DomeError) -> String {
            guard let text = document[name]?.stringValue, !text.isEmpty else {
                throw DomeError(.invalidRequest, "\(what): \"\(name)\" is missing")
            }
            return text
        }
        name = try text("name")
        material = try text("material_sha256")
        daemonVersion = try text("dome_version")
        guard let manifest = document["manifest"], let input = document["input_schema"] else {
            throw DomeError(.invalidRequest, "\(what): \"manifest\" or \"input_schema\" is missing")
        }
        (self.manifest, inputSchema) = (manifest, input)
        outputSchema = document["output_schema"]
        var files: [String: String] = [:]
        for (name, sha256) in document["files"]?.objectValue?.members ?? [] { files[name] = sha256.stringValue ?? "" }
        self.files = files
    }

    /// To be kept.
    package var document: JSONValue {
        var sums = JSONObject()
        for (name, sha256) in files.sorted(by: { $0.key < $1.key }) { sums[name] = .string(sha256) }
        var object: JSONObject = [
            "name": .string(name), "material_sha256": .string(material), "dome_version": .string(daemonVersion),
            "manifest": manifest, "input_schema": inputSchema,
        ]
        object["output_schema"] = outputSchema
        object["files"] = .object(sums)
        return .object(object)
    }

    private static let differencesLimit = 32

    /// Where a tool is another one than this, a line each.
    package func differences(_ tool: Tool) -> [String] {
        guard tool.hashes.material != material else { return [] }
        let now = ToolPin(tool, daemonVersion: daemonVersion)
        var lines: [String] = []
        for (file, before, after) in [
            ("tool.json", manifest, now.manifest), ("input.schema.json", inputSchema, now.inputSchema),
        ] {
            lines += JSONDifference.list(before, after).map { "\(file) \($0.description)" }
        }
        lines += JSONDifference.list(outputSchema, now.outputSchema).map { "output.schema.json \($0.description)" }
        for name in Set(files.keys).union(now.files.keys).sorted() where files[name] != now.files[name] {
            switch (files[name], now.files[name]) {
            case (let before?, let after?): lines.append("file \(name): SHA-256 \(before) → \(after)")
            case (nil, _): lines.append("file \(name): is new")
            case (_, nil): lines.append("file \(name): is gone")
            }
        }
        // Names alone are in the sum, too: their order is.
        if lines.isEmpty { lines = ["its files are named in another order"] }
        let rest = lines.count - Self.differencesLimit
        return rest > 0 ? lines.prefix(Self.differencesLimit) + ["and \(rest) more"] : lines
    }

    private static func document(_ text: String) -> JSONValue {
        (try? JSONParser.parse(text, what: "schema")) ?? .string(text)
    }
}
