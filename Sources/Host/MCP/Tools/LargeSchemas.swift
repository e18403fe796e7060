internal import DomeClient
internal import DomeModel

/// Schemas that are larger than a client's result: whoever cuts them cuts them anywhere, so they are made smaller here.
enum LargeSchemas {
    /// A tool with more than this is not listed by itself: each client would carry it in each session.
    static let listedBytes = 16 << 10

    private static let nameLimit = 100

    static func bytes(_ tool: ToolDetail) -> Int { tool.inputSchemaJSON.utf8.count + tool.description.utf8.count }

    /// Leaves out of a description what does not fit, and says so.
    static func fit(_ document: inout JSONObject, _ tool: ToolDetail, limitBytes: Int) {
        let (input, output) = (tool.inputSchemaJSON.utf8.count, tool.outputSchemaJSON.utf8.count)
        let room = limitBytes - tool.description.utf8.count
        guard input + output > room else { return }
        document["output_schema"] = ["description": .string("left out: it has \(output) bytes")]
        if input > room, let schema = document["input_schema"]?.objectValue {
            document["input_schema"] = outline(schema, bytes: input)
        }
    }

    /// The names and types of its properties.
    private static func outline(_ schema: JSONObject, bytes: Int) -> JSONValue {
        var properties = JSONObject()
        for (name, value) in (schema["properties"]?.objectValue?.members ?? []).prefix(nameLimit) {
            var short = JSONObject()
            if let type = value["type"]?.stringValue { short["type"] = .string(type) }
            properties[String(name.prefix(64))] = .object(short)
        }
        var outline: JSONObject = [
            "type": "object", "properties": .object(properties),
            "description": .string(
                "only an outline: the schema has \(bytes) bytes. What does not fit it is refused by name, and nothing runs."
            ),
        ]
        if let required = schema["required"]?.arrayValue {
            outline["required"] = .array(Array(required.prefix(nameLimit)))
        }
        return .object(outline)
    }
}
