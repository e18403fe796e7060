internal import DomeCrypto
package import DomeModel
internal import DomeSchema

/// Which plugin carries a tool out.
package struct PluginReference: Sendable, Equatable {
    package var id: String
    package var version: String
    /// Of the library, in hexadecimal.
    package var librarySHA256: String

    package init(id: String, version: String, librarySHA256: String) {
        (self.id, self.version, self.librarySHA256) = (id, version, librarySHA256)
    }
}

extension PluginFile {
    /// The tools that the declared actions are: `name.action`, in `folder`, the plugin's own.
    /// Errors: E_INVALID_REQUEST for a schema or limits that will not do, naming the action.
    package func tools(
        of declaration: PluginDeclaration, folder: String, librarySHA256: String
    ) throws(DomeError) -> [Tool] {
        let plugin = PluginReference(id: id, version: version, librarySHA256: librarySHA256)
        var tools: [Tool] = []
        for action in declaration.actions { tools.append(try tool(action, plugin, folder)) }
        return tools
    }

    private func tool(
        _ action: PluginDeclaration.Action, _ plugin: PluginReference, _ folder: String
    ) throws(DomeError) -> Tool {
        let toolID = name + "." + action.name
        let what = "action \(action.name) of plugin \(id)"
        let (document, manifest) = try manifest(
            toolID: toolID, title: action.title, description: action.description,
            entrypoint: ["action": .string(action.name)], limits: narrowed(action.limits, what),
            sideEffects: action.sideEffects, hasResult: action.outputSchema != nil, what: what)
        let input = try JSONSchema.compile(action.inputSchema, what: what + ": input_schema")
        let output = try action.outputSchema.map { schema throws(DomeError) in
            try JSONSchema.compile(schema, what: what + ": output_schema")
        }
        func hash(_ value: JSONValue) throws(DomeError) -> String { try SHA256.digest(value.canonical).hex }
        let sums = (
            manifest: try hash(document), input: try hash(action.inputSchema),
            output: try action.outputSchema.map(hash) ?? ""
        )
        let material = [sums.manifest, sums.input, sums.output, library + "=" + plugin.librarySHA256]
        let hashes = ToolHashes(
            manifest: sums.manifest, inputSchema: sums.input, outputSchema: sums.output,
            files: [(library, plugin.librarySHA256)],
            material: try SHA256.digest(Array(material.joined(separator: "\n").utf8)).hex)
        return Tool(
            manifest: manifest, directory: folder, manifestDocument: document, inputSchema: input,
            outputSchema: output,
            texts: (document.compact, action.inputSchema.compact, action.outputSchema?.compact), files: [],
            hashes: hashes, plugin: plugin)
    }

    /// The plugin's limits with the action's own where these are narrower.
    private func narrowed(_ own: JSONObject, _ what: String) throws(DomeError) -> JSONObject {
        var result = limits
        for (name, value) in own.members {
            guard let wish = value.integerValue else {
                throw DomeError(.invalidRequest, "\(what): limits: \"\(name.prefix(64))\" must be a whole number")
            }
            result[name] = .integer(min(wish, limits[name]?.integerValue ?? wish))
        }
        return result
    }
}

extension Permission {
    /// Whether one of `others` includes this one.
    package func isWithin(_ others: [Permission]) -> Bool {
        others.contains { other in
            switch (self, other) {
            case (.readPath, .readPath(nil)), (.readPath, .writePath(nil)), (.writePath, .writePath(nil)): true
            case (.readPath(let inner?), .readPath(let outer?)), (.readPath(let inner?), .writePath(let outer?)),
                (.writePath(let inner?), .writePath(let outer?)):
                PathText.contains(outer, inner)
            case (.networkLoopback, .networkFull): true
            default: self == other
            }
        }
    }
}
