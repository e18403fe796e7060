internal import DomeModel

/// Turns a schema document into a program. Works from a list of pending subschemas and never recurses, so that no
/// document, however nested or chained by `$ref`, can exhaust the stack.
struct SchemaCompiler {
    /// Beyond this a schema is refused.
    static let nodeLimit = 10_000
    /// More warnings are not kept.
    static let warningLimit = 100

    /// A schema under compilation.
    struct Place {
        var document: Int
        var resource: Int
        /// Of the schema, then of the keyword at hand.
        var pointer: String

        func below(_ name: String) -> Place {
            Place(document: document, resource: resource, pointer: pointer + "/" + JSONPointer.token(name))
        }
    }

    private struct Key: Hashable {
        var document: Int
        var node: Int
    }

    var library: SchemaLibrary
    let assertsFormats: Bool
    let assertsContent: Bool
    private let refusesMisspellings: Bool
    private(set) var warnings: [String] = []
    private(set) var rules: [SchemaRules] = []
    private var indices: [Key: Int] = [:]
    private var pending: [(index: Int, node: Int, place: Place)] = []
    private var dynamicNames: [String: Int] = [:]
    private var dynamicTargets: [[Int: Int]] = []

    init(_ options: JSONSchema.Options, what: String) {
        library = SchemaLibrary(given: options.documents, defaultDialect: options.defaultDialect, what: what)
        (assertsFormats, assertsContent) = (options.assertsFormats, options.assertsContent)
        refusesMisspellings = options.refusesMisspellings
    }

    mutating func compile(_ tree: JSONTree, uri: String) throws(DomeError) -> SchemaProgram {
        let resource = try library.add(tree, uri: SchemaURI(uri).resource)
        _ = try subschema(0, Place(document: 0, resource: resource, pointer: ""))
        repeat {
            while let next = pending.popLast() { try compileOne(next.index, next.node, next.place) }
            try compileDynamicTargets()
        } while !pending.isEmpty
        try refuseEndlessReferences()
        return SchemaProgram(rules, dynamicTargets: dynamicTargets)
    }

    /// The program's node for the schema at `node` of the document; compiled later if it is new.
    mutating func subschema(_ node: Int, _ place: Place) throws(DomeError) -> Int {
        let key = Key(document: place.document, node: node)
        if let index = indices[key] { return index }
        guard rules.count < Self.nodeLimit else { throw fail(place, "has more than \(Self.nodeLimit) subschemas") }
        try library.scan(place.document, node, in: place.resource)
        var own = place
        own.resource = library.documents[place.document].roots[node] ?? place.resource
        let index = rules.count
        indices[key] = index
        rules.append(SchemaRules(location: place.pointer, resource: own.resource))
        pending.append((index, node, own))
        return index
    }

    /// The program's node for the schema at `node`, if it was met already.
    func known(_ node: Int, document: Int) -> Int? { indices[Key(document: document, node: node)] }

    func fail(_ place: Place, _ reason: String) -> DomeError { library.fail(place.pointer, reason) }

    mutating func warn(_ place: Place, _ text: String) {
        guard warnings.count < Self.warningLimit else { return }
        warnings.append("the schema at \(place.pointer.isEmpty ? "its root" : place.pointer) \(text)")
    }

    func tree(_ place: Place) -> JSONTree { library.documents[place.document].tree }

    private mutating func compileOne(_ index: Int, _ node: Int, _ place: Place) throws(DomeError) {
        let tree = tree(place)
        var own = rules[index]
        switch tree.nodes[node].kind {
        case .yes: own.verdict = true
        case .no: own.verdict = false
        case .object: try compileKeywords(tree, node, place, &own)
        default:
            let kind = SchemaTypes.article(SchemaCompiler.typeName(tree, node))
            throw fail(place, "must be an object or a boolean, not \(kind)")
        }
        rules[index] = own
    }

    private mutating func compileKeywords(
        _ tree: JSONTree, _ node: Int, _ place: Place, _ rules: inout SchemaRules
    ) throws(DomeError) {
        let resource = library.resources[place.resource]
        if resource.dialect == .draft7, let reference = tree.member("$ref", of: node) {
            // Whatever stands beside it is ignored.
            var group = InPlaceRules()
            group.reference = try self.reference(tree, reference, place.below("$ref")).node
            rules.inPlace = group
            return
        }
        let keywords = resource.dialect.keywords
        for (name, argument) in tree.members(of: node) {
            guard let keyword = keywords[name] else {
                try warnUnknown(name, place, resource.dialect)
                continue
            }
            guard !keyword.vocabulary.isDisjoint(with: resource.vocabularies) else { continue }
            let below = place.below(name)
            if try compileInPlace(name, tree, argument, below, &rules) { continue }
            if try compileAnyType(name, tree, argument, below, &rules) { continue }
            if try compileObject(name, tree, argument, below, &rules) { continue }
            if try compileArray(name, tree, argument, below, &rules) { continue }
            try compileScalar(name, tree, argument, below, &rules)
        }
        finishItems(tree, node, resource.dialect, &rules)
        warnIncomplete(tree, node, place)
    }

    private mutating func warnUnknown(_ name: String, _ place: Place, _ dialect: SchemaDialect) throws(DomeError) {
        if let other = SchemaDialect.allCases.first(where: { $0.keywords[name] != nil }) {
            warn(place, "has \"\(name)\", a keyword of \(other.name) that means nothing in \(dialect.name)")
        } else if let nearest = dialect.nearest(to: name) {
            let text = "has \"\(name.prefix(64))\", which is no keyword; is \"\(nearest)\" meant?"
            let constrains: SchemaVocabularies = [.applicator, .unevaluated, .validation]
            let isConstraint = dialect.keywords[nearest].map { constrains.contains($0.vocabulary) } ?? false
            guard !refusesMisspellings || !isConstraint else { throw fail(place, text) }
            warn(place, text)
        } else {
            warn(place, "has \"\(name.prefix(64))\", which is no keyword: it constrains nothing")
        }
    }

    private mutating func warnIncomplete(_ tree: JSONTree, _ node: Int, _ place: Place) {
        for (keyword, needed) in [
            ("then", "if"), ("else", "if"), ("minContains", "contains"), ("maxContains", "contains"),
            ("additionalItems", "items"),
        ] where tree.member(keyword, of: node) != nil && tree.member(needed, of: node) == nil {
            warn(place, "has \"\(keyword)\" without \"\(needed)\": it constrains nothing")
        }
    }

    /// All that the `$dynamicRef`s met so far may lead to.
    private mutating func compileDynamicTargets() throws(DomeError) {
        for (name, number) in dynamicNames {
            for resource in library.resources.indices where dynamicTargets[number][resource] == nil {
                guard let node = library.resources[resource].dynamicAnchors[name] else { continue }
                let document = library.resources[resource].document
                dynamicTargets[number][resource] = try subschema(
                    node, Place(document: document, resource: resource, pointer: library.pointer(document, node)))
            }
        }
    }

    /// The number of a name that a `$dynamicRef` uses.
    mutating func dynamicName(_ name: String) -> Int {
        if let known = dynamicNames[name] { return known }
        dynamicNames[name] = dynamicTargets.count
        dynamicTargets.append([:])
        return dynamicTargets.count - 1
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
                        throw library.fail(rules[target].location, "refers to itself without end")
                    }
                    if marks[target] == .new { stack.append((target, false)) }
                }
            }
        }
    }

    static func typeName(_ tree: JSONTree, _ node: Int) -> String {
        switch tree.nodes[node].kind {
        case .null: "null"
        case .no, .yes: "boolean"
        case .integer: "integer"
        case .decimal: "number"
        case .string: "string"
        case .array: "array"
        case .object: "object"
        }
    }
}
