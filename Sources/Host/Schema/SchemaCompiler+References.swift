internal import DomeModel

// References, and schemas that look at the same value as their parent.
extension SchemaCompiler {
    mutating func compileInPlace(
        _ keyword: String, _ tree: JSONTree, _ argument: Int, _ place: Place, _ rules: inout SchemaRules
    ) throws(DomeError) -> Bool {
        var group = rules.inPlace ?? InPlaceRules()
        switch keyword {
        case "$ref": group.reference = try reference(tree, argument, place).node
        case "$dynamicRef":
            let target = try reference(tree, argument, place)
            group.dynamicReference = (target.node, target.dynamicName.map { dynamicName($0) })
        case "$recursiveRef":
            guard tree.string(at: argument) == "#" else { throw fail(place, "must be \"#\"") }
            let isRecursive = library.resources[place.resource].dynamicAnchors[SchemaLibrary.recursive] != nil
            let name = isRecursive ? dynamicName(SchemaLibrary.recursive) : nil
            group.dynamicReference = (try reference(tree, argument, place).node, name)
        case "allOf": group.all = try list(tree, argument, place)
        case "anyOf": group.any = try list(tree, argument, place)
        case "oneOf": group.one = try list(tree, argument, place)
        case "not": group.not = try subschema(argument, place)
        case "if": group.condition = try subschema(argument, place)
        case "then": group.consequence = try subschema(argument, place)
        case "else": group.alternative = try subschema(argument, place)
        case "$defs", "definitions":
            // Compiled whether used or not: what is wrong with them is said now.
            for (name, value) in try members(tree, argument, place) { _ = try subschema(value, place.below(name)) }
            return true
        case "$schema", "$id", "$anchor", "$dynamicAnchor", "$recursiveAnchor", "$vocabulary", "$comment", "title",
            "description", "default", "examples", "deprecated", "readOnly", "writeOnly":
            return true
        case "contentSchema":
            _ = try subschema(argument, place)
            return true
        default: return false
        }
        rules.inPlace = group
        return true
    }

    /// The nodes of a non-empty list of schemas.
    mutating func list(_ tree: JSONTree, _ argument: Int, _ place: Place) throws(DomeError) -> [Int] {
        let schemas = tree.elements(of: argument)
        guard !schemas.isEmpty else { throw fail(place, "must be a list with at least one schema") }
        var nodes: [Int] = []
        for (position, schema) in schemas.enumerated() {
            nodes.append(try subschema(schema, place.below("\(position)")))
        }
        return nodes
    }

    /// What a `$ref` or `$dynamicRef` first leads to, and the name of the `$dynamicAnchor` that it named, if any.
    mutating func reference(
        _ tree: JSONTree, _ argument: Int, _ place: Place
    ) throws(DomeError) -> (node: Int, dynamicName: String?) {
        guard let text = tree.string(at: argument) else { throw fail(place, "must be a URI reference") }
        let target = SchemaURI(text).resolved(against: SchemaURI(library.resources[place.resource].uri))
        guard let resource = try library.resource(target.resource) else {
            let name = target.resource.prefix(200)
            throw fail(place, "refers to \(name), which is not in this document (and nothing is ever fetched)")
        }
        let found = library.resources[resource]
        guard let fragment = JSONPointer.percentDecoded(target.fragment ?? "") else {
            throw fail(place, "has a malformed % in its fragment")
        }
        func missing() -> DomeError {
            fail(place, "points to \(text.prefix(128)), which is not in this document")
        }
        guard fragment.isEmpty || fragment.first == UInt8(ascii: "/") else {
            let name = String(decoding: fragment, as: UTF8.self)
            guard let node = found.anchors[name] else { throw missing() }
            let there = Place(
                document: found.document, resource: resource, pointer: library.pointer(found.document, node))
            return (try subschema(node, there), found.dynamicAnchors[name] == node ? name : nil)
        }
        guard let tokens = JSONPointer.tokens(fragment) else { throw fail(place, "has a malformed JSON pointer") }
        let base = found.root == 0 ? documentPrefix(found.document) : library.pointer(found.document, found.root)
        var there = Place(document: found.document, resource: resource, pointer: base)
        var node = found.root
        for token in tokens {
            guard let next = child(token, of: node, in: found.document) else { throw missing() }
            node = next
            there = there.below(token)
            if let own = library.documents[found.document].roots[node] { there.resource = own }
        }
        return (try subschema(node, there), nil)
    }

    private func documentPrefix(_ document: Int) -> String {
        document == 0 ? "" : library.documents[document].uri + "#"
    }

    private func child(_ token: String, of node: Int, in document: Int) -> Int? {
        let tree = library.documents[document].tree
        if let member = tree.member(token, of: node) { return member }
        guard let index = Int(token), "\(index)" == token, index >= 0 else { return nil }
        let elements = tree.elements(of: node)
        return index < elements.count ? elements[index] : nil
    }

    func members(_ tree: JSONTree, _ argument: Int, _ place: Place) throws(DomeError) -> [(name: String, value: Int)] {
        guard tree.nodes[argument].kind == .object else { throw fail(place, "must be an object") }
        return tree.members(of: argument)
    }
}
