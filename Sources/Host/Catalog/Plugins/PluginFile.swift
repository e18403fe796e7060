package import DomeModel

/// A plugin's plugin.json, checked: what is decided about it before any of its code runs.
/// Registry/schema/plugin.schema.json describes the file, docs/adr/0023 the rules.
package struct PluginFile: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        case adapter
        case executor
    }

    /// Reverse DNS, e.g. "dome.echo".
    package let id: String
    /// The first part of its tools' ids.
    package let name: String
    package let version: String
    package let kind: Kind
    /// The library's file name in the plugin's folder.
    package let library: String
    /// What else it needs of the folder, by paths from there.
    package let files: [String]
    package let title: String
    package let description: String
    package let permissions: [Permission]
    package let optionalPermissions: [Permission]
    /// Names of secrets that its jobs may ask for.
    package let secrets: [String]
    /// As in tool.json.
    package let limits: JSONObject
    /// The file.
    package let document: JSONValue

    package static let name = "plugin.json"

    /// The permissions as clients see them, as a tool's.
    package var permissionTexts: [String] {
        permissions.map(\.description) + optionalPermissions.map { "optional:" + $0.description }
    }

    /// Checks a document. Errors are E_INVALID_REQUEST and name the member; `what` names the document.
    package init(_ document: JSONValue, what: String) throws(DomeError) {
        guard let object = document.objectValue else {
            throw DomeError(.invalidRequest, "\(what): must be a JSON object")
        }
        var reader = MemberReader(object, what: what)
        _ = try reader.optionalText("$schema", limit: 1024)
        id = try reader.text("id", limit: 128)
        let last = id.split(separator: ".").last.map(String.init) ?? ""
        guard ToolManifest.isToolID(id), id.contains(".") else {
            throw reader.fail("\"id\" must be reverse DNS of a-z, 0-9, '-', '_', such as org.example.thing")
        }
        name = try reader.optionalText("name", limit: 32) ?? last
        guard ToolManifest.isToolID(name), !name.contains("."), name.utf8.count <= 32 else {
            throw reader.fail("\"name\" must be of a-z, 0-9, '-', '_', at most 32; it is '\(name)'")
        }
        version = try reader.text("version", limit: 64)
        guard ToolManifest.isSemanticVersion(version) else {
            throw reader.fail("\"version\" must be a semantic version such as 1.2.3")
        }
        let kindName = try reader.text("kind", limit: 32)
        guard let kind = Kind(rawValue: kindName) else {
            throw reader.fail("\"kind\" is '\(kindName)'; known are adapter, executor")
        }
        self.kind = kind
        library = try reader.text("library", limit: 128)
        guard PathText.isPlainRelative(library), !library.utf8.contains(UInt8(ascii: "/")) else {
            throw reader.fail("\"library\" must be the name of a file in this folder, not '\(library)'")
        }
        files = try reader.texts("files", limit: 255)
        for (index, path) in files.enumerated() {
            guard Self.isFile(path), path != Self.name, path != library, !files[..<index].contains(path) else {
                throw reader.fail(
                    "\"files\" must be paths of further files in this folder, each once, of letters, digits and ._+-/, "
                        + "not '\(path)'")
            }
        }
        title = try reader.optionalText("title", limit: 80) ?? name
        description = try reader.optionalText("description", limit: 16 << 10, mayHaveLines: true) ?? title
        permissions = try reader.permissions("permissions")
        optionalPermissions = try reader.permissions("optional_permissions")
        secrets = try reader.texts("secrets", limit: 64)
        for secret in secrets where (try? Permission(parsing: "env:" + secret)) == nil {
            throw reader.fail("\"secrets\" must be names of letters, digits and '_', not '\(secret)'")
        }
        limits = try reader.object("limits") ?? JSONObject()
        try reader.finish()
        self.document = document
        // Limits are understood where a tool's are.
        _ = try ownManifest(what)
    }

    /// The manifest of a tool that this plugin carries out, or of the plugin itself when the policy is asked about it.
    func manifest(
        toolID: String, title: String, description: String, entrypoint: JSONObject, limits: JSONObject,
        sideEffects: [String] = [], hasResult: Bool = false, what: String
    ) throws(DomeError) -> (document: JSONValue, manifest: ToolManifest) {
        let firstLine = description.split(separator: "\n").first.map(String.init) ?? title
        let document: JSONValue = [
            "tool_id": .string(toolID), "version": .string(version), "title": .string(title),
            "short_description": .string(Self.cut(firstLine, toBytes: 200)), "description": .string(description),
            "kind": "plugin", "permissions": .array(permissions.map { .string($0.description) }),
            "optional_permissions": .array(optionalPermissions.map { .string($0.description) }),
            "side_effects": .array(sideEffects.map { .string($0) }), "executor": .string(id),
            "entrypoint": .object(entrypoint), "limits": .object(limits), "output": hasResult ? "result" : "lines",
        ]
        return (document, try ToolManifest(document, what: what))
    }

    /// The plugin as the policy sees it: what the worker of an executor may have.
    package func ownManifest(_ what: String = Self.name) throws(DomeError) -> ToolManifest {
        // The entrypoint is nobody's; LocalProcess's own is looked at wherever its id stands.
        let entrypoint: JSONObject = ["argv": ["true"]]
        return try manifest(
            toolID: id, title: title, description: description, entrypoint: entrypoint, limits: limits, what: what
        ).manifest
    }

    /// Plain, and spelled in one way only.
    private static func isFile(_ path: String) -> Bool {
        PathText.isPlainRelative(path)
            && path.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
                default: "._+-/".utf8.contains(byte)
                }
            }
    }

    private static func cut(_ text: String, toBytes limit: Int) -> String {
        guard text.utf8.count > limit else { return text }
        var result = ""
        for character in text where result.utf8.count + String(character).utf8.count <= limit - 3 {
            result.append(character)
        }
        return result + "…"
    }
}
