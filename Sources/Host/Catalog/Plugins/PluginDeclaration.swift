package import DomeModel
package import DomeSchema

/// What a plugin declares of itself (entry.h), checked as hostile text is: its actions and its configuration's schema.
package struct PluginDeclaration: Sendable {
    package struct Action: Sendable {
        package let name: String
        let title: String
        let description: String
        let inputSchema: JSONValue
        let outputSchema: JSONValue?
        let sideEffects: [String]
        let limits: JSONObject
    }

    package let actions: [Action]
    package let capabilities: [String]
    /// nil: whatever the user sets is passed on.
    package let configSchema: JSONSchema?
    package let document: JSONValue

    private static let actionLimit = 256

    /// Errors are E_INVALID_REQUEST and name the member.
    package init(_ document: JSONValue, of file: PluginFile) throws(DomeError) {
        let what = "the declaration of plugin \(file.id)"
        guard let object = document.objectValue else {
            throw DomeError(.invalidRequest, "\(what) must be a JSON object")
        }
        self.document = document
        capabilities = try Self.texts(object["capabilities"], "capabilities", what)
        configSchema = try object["config_schema"].map { schema throws(DomeError) in
            try JSONSchema.compile(schema, what: what + ": config_schema")
        }
        guard let declared = object["actions"] else {
            actions = []
            guard file.kind == .executor else {
                throw DomeError(.invalidRequest, "\(what): an adapter needs \"actions\"")
            }
            return
        }
        guard let list = declared.arrayValue, list.count <= Self.actionLimit else {
            throw DomeError(.invalidRequest, "\(what): \"actions\" must be a list of at most \(Self.actionLimit)")
        }
        var actions: [Action] = []
        for (index, element) in list.enumerated() {
            let action = try Self.action(element, "\(what): actions[\(index)]")
            guard !actions.contains(where: { $0.name == action.name }) else {
                throw DomeError(.invalidRequest, "\(what): two actions are named \(action.name)")
            }
            actions.append(action)
        }
        self.actions = actions
    }

    private static func action(_ value: JSONValue, _ what: String) throws(DomeError) -> Action {
        guard let object = value.objectValue else { throw DomeError(.invalidRequest, "\(what) must be an object") }
        var reader = MemberReader(object, what: what)
        let name = try reader.text("name", limit: 31)
        guard ToolManifest.isToolID(name) else {
            throw reader.fail("\"name\" must be of a-z, 0-9, '-', '_', '.', with a letter or digit at both ends")
        }
        let title = try reader.optionalText("title", limit: 80) ?? name
        guard let input = reader.value("input_schema") else { throw reader.fail("\"input_schema\" is missing") }
        return Action(
            name: name, title: title,
            description: try reader.optionalText("description", limit: 16 << 10, mayHaveLines: true) ?? title,
            inputSchema: input, outputSchema: reader.value("output_schema"),
            sideEffects: try reader.texts("side_effects", limit: 200), limits: try reader.object("limits") ?? [:])
    }

    private static func texts(_ value: JSONValue?, _ name: String, _ what: String) throws(DomeError) -> [String] {
        var reader = MemberReader(value.map { [name: $0] } ?? [:], what: what)
        return try reader.texts(name, limit: 64)
    }
}
