import DomeModel

/// Turns a schema document into nodes. Works from a list of pending subschemas and never recurses, so that no
/// document, however nested or chained by `$ref`, can exhaust the stack.
struct SchemaCompiler {
    /// Beyond this a schema is refused.
    static let nodeLimit = 10_000

    let document: JSONValue
    let what: String
    private var indexByPointer: [String: Int] = [:]
    private var rules: [SchemaRules] = []
    private var pending: [(index: Int, pointer: String, value: JSONValue)] = []

    init(_ document: JSONValue, what: String) {
        self.document = document
        self.what = what
    }

    mutating func compile() throws(DomeError) -> JSONSchema {
        _ = try subschema(document, at: "")
        while let next = pending.popLast() {
            rules[next.index] = try compileOne(next.value, at: next.pointer)
        }
        try refuseEndlessReferences()
        return JSONSchema(nodes: rules.map(SchemaNode.init))
    }

    /// The node for the schema `value` at `pointer`; compiled later if it is new.
    mutating func subschema(_ value: JSONValue, at pointer: String) throws(DomeError) -> Int {
        if let index = indexByPointer[pointer] { return index }
        guard rules.count < Self.nodeLimit else { throw fail(pointer, "has more than \(Self.nodeLimit) subschemas") }
        let index = rules.count
        indexByPointer[pointer] = index
        rules.append(SchemaRules())
        pending.append((index, pointer, value))
        return index
    }

    func fail(_ pointer: String, _ reason: String) -> DomeError {
        DomeError(.invalidRequest, "\(what): the schema at \(pointer.isEmpty ? "its root" : pointer) \(reason)")
    }

    private mutating func compileOne(_ value: JSONValue, at pointer: String) throws(DomeError) -> SchemaRules {
        var rules = SchemaRules()
        switch value {
        case .bool(let verdict): rules.verdict = verdict
        case .object(let object):
            for (keyword, argument) in object.members {
                guard try compileKeyword(keyword, argument, schemaPointer: pointer, &rules) else {
                    throw fail(pointer, "uses the keyword \"\(keyword.prefix(64))\", which is not supported")
                }
            }
        default: throw fail(pointer, "must be an object or a boolean, not \(SchemaTypes.article(value.typeName))")
        }
        return rules
    }

    /// False if nobody knows the keyword.
    private mutating func compileKeyword(
        _ keyword: String, _ argument: JSONValue, schemaPointer: String, _ rules: inout SchemaRules
    ) throws(DomeError) -> Bool {
        let place = schemaPointer + "/" + JSONPointer.token(keyword)
        if try compileAnnotation(keyword, argument, schemaPointer: schemaPointer) { return true }
        if try compileAnyType(keyword, argument, place, &rules) { return true }
        if try compileInPlace(keyword, argument, place, &rules) { return true }
        if try compileObject(keyword, argument, place, &rules) { return true }
        if try compileArray(keyword, argument, place, &rules) { return true }
        return try compileScalar(keyword, argument, place, &rules)
    }

    /// Keywords that constrain nothing. The identifying ones are accepted only where they change nothing.
    private mutating func compileAnnotation(
        _ keyword: String, _ argument: JSONValue, schemaPointer: String
    ) throws(DomeError) -> Bool {
        switch keyword {
        case "title", "description", "default", "examples", "$comment", "deprecated", "readOnly", "writeOnly", "format":
            return true
        case "$schema":
            let text = argument.stringValue
            guard text == JSONSchema.dialect || text == JSONSchema.dialect + "#" else {
                throw fail(schemaPointer, "has a \"$schema\" other than \(JSONSchema.dialect)")
            }
            return true
        case "$id":
            // A base URI of a subschema's own would change what its $ref mean.
            guard schemaPointer.isEmpty, argument.stringValue != nil else {
                throw fail(schemaPointer, "has an \"$id\", which is supported only as text at the root")
            }
            return true
        case "$defs":
            guard let definitions = argument.objectValue else { throw fail(schemaPointer, "needs $defs as an object") }
            for (name, value) in definitions.members {
                _ = try subschema(value, at: schemaPointer + "/$defs/" + JSONPointer.token(name))
            }
            return true
        default: return false
        }
    }

    private func compileAnyType(
        _ keyword: String, _ argument: JSONValue, _ place: String, _ rules: inout SchemaRules
    ) throws(DomeError) -> Bool {
        switch keyword {
        case "type": rules.types = try types(argument, place)
        case "const": rules.constant = argument
        case "enum":
            guard let values = argument.arrayValue, !values.isEmpty else {
                throw fail(place, "must be a list with at least one value")
            }
            rules.allowed = values
        default: return false
        }
        return true
    }

    private func types(_ argument: JSONValue, _ place: String) throws(DomeError) -> SchemaTypes {
        let names: [JSONValue]
        switch argument {
        case .string: names = [argument]
        case .array(let list) where !list.isEmpty: names = list
        default: throw fail(place, "must be a type's name or a list of them")
        }
        var types: SchemaTypes = []
        for name in names {
            guard let known = SchemaTypes.named.first(where: { $0.name == name.stringValue }) else {
                throw fail(place, "must name types among \(SchemaTypes.named.map(\.name).joined(separator: ", "))")
            }
            guard types.insert(known.type).inserted else { throw fail(place, "names a type twice") }
        }
        return types
    }

    private mutating func compileInPlace(
        _ keyword: String, _ argument: JSONValue, _ place: String, _ rules: inout SchemaRules
    ) throws(DomeError) -> Bool {
        var group = rules.inPlace ?? InPlaceRules()
        switch keyword {
        case "$ref": group.reference = try reference(argument, place)
        case "allOf": group.all = try list(argument, place)
        case "anyOf": group.any = try list(argument, place)
        case "oneOf": group.one = try list(argument, place)
        case "not": group.not = try subschema(argument, at: place)
        case "if": group.condition = try subschema(argument, at: place)
        case "then": group.consequence = try subschema(argument, at: place)
        case "else": group.alternative = try subschema(argument, at: place)
        default: return false
        }
        rules.inPlace = group
        return true
    }

    /// The nodes of a non-empty list of schemas.
    mutating func list(_ argument: JSONValue, _ place: String) throws(DomeError) -> [Int] {
        guard let schemas = argument.arrayValue, !schemas.isEmpty else {
            throw fail(place, "must be a list with at least one schema")
        }
        var nodes: [Int] = []
        for (position, schema) in schemas.enumerated() {
            nodes.append(try subschema(schema, at: place + "/\(position)"))
        }
        return nodes
    }

    private mutating func reference(_ argument: JSONValue, _ place: String) throws(DomeError) -> Int {
        guard let text = argument.stringValue, text.hasPrefix("#"),
            let tokens = JSONPointer.tokens(ofFragment: text.dropFirst())
        else { throw fail(place, "must be a reference into this document: #/… (anchors and other files are not read)") }
        var target = document
        for token in tokens {
            let next: JSONValue?
            switch target {
            case .object(let object): next = object[token]
            case .array(let elements): next = Self.index(token).flatMap { $0 < elements.count ? elements[$0] : nil }
            default: next = nil
            }
            guard let next else { throw fail(place, "points to \(text.prefix(128)), which is not in this document") }
            target = next
        }
        return try subschema(target, at: tokens.map { "/" + JSONPointer.token($0) }.joined())
    }

    private static func index(_ token: String) -> Int? {
        guard token == "0" || !token.hasPrefix("0"), token.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return nil
        }
        return Int(token)
    }

    /// A schema that leads back to itself without going deeper into the instance would never end.
    private func refuseEndlessReferences() throws(DomeError) {
        enum Mark { case new, open, done }
        var marks = [Mark](repeating: .new, count: rules.count)
        for start in rules.indices where marks[start] == .new {
            var stack: [(node: Int, isLeaving: Bool)] = [(start, false)]
            while let (node, isLeaving) = stack.popLast() {
                if isLeaving {
                    marks[node] = .done
                    continue
                }
                guard marks[node] == .new else { continue }
                marks[node] = .open
                stack.append((node, true))
                let dependent = rules[node].object?.dependentSchemas.map(\.schema) ?? []
                for target in (rules[node].inPlace?.targets ?? []) + dependent {
                    if marks[target] == .open {
                        let pointer = indexByPointer.first { $0.value == target }?.key ?? ""
                        throw fail(pointer, "refers to itself without end")
                    }
                    if marks[target] == .new { stack.append((target, false)) }
                }
            }
        }
    }
}
