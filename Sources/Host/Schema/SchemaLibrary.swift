internal import DomeModel

/// A schema with a URI of its own: a whole document, or a part of one that has an `$id`.
struct SchemaResource {
    /// Absolute where there is anything to be absolute against; without fragment.
    var uri: String
    var document: Int
    var root: Int
    var dialect: SchemaDialect
    var vocabularies: SchemaVocabularies
    var anchors: [String: Int] = [:]
    var dynamicAnchors: [String: Int] = [:]
}

/// The documents that a schema can refer to: itself, those given along with it, and the metaschemas. Nothing is ever
/// fetched.
struct SchemaLibrary {
    struct Document {
        var tree: JSONTree
        var uri: String
        /// The nodes that were looked at as schemas.
        var scanned: Set<Int> = []
        /// Node → the resource that begins there.
        var roots: [Int: Int] = [:]
    }

    private(set) var documents: [Document] = []
    private(set) var resources: [SchemaResource] = []
    private var byURI: [String: Int] = [:]
    private let given: [String: JSONTree]
    private let defaultDialect: SchemaDialect
    let what: String

    init(given: [String: JSONTree], defaultDialect: SchemaDialect, what: String) {
        (self.given, self.defaultDialect, self.what) = (given, defaultDialect, what)
    }

    func fail(_ place: String, _ reason: String) -> DomeError {
        DomeError(.invalidRequest, "\(what): the schema at \(place.isEmpty ? "its root" : place) \(reason)")
    }

    /// Takes a document in; gives the resource at its root.
    mutating func add(_ tree: JSONTree, uri: String) throws(DomeError) -> Int {
        let document = documents.count
        documents.append(Document(tree: tree, uri: uri))
        let resource = SchemaResource(
            uri: uri, document: document, root: 0, dialect: defaultDialect, vocabularies: .standard)
        resources.append(resource)
        let index = resources.count - 1
        byURI[uri] = byURI[uri] ?? index
        documents[document].roots[0] = index
        try scan(document, 0, in: index)
        return documents[document].roots[0] ?? index
    }

    /// The resource called `uri`, without fragment; nil if nobody gave it.
    mutating func resource(_ uri: String) throws(DomeError) -> Int? {
        if let known = byURI[uri] { return known }
        if let tree = given[uri] ?? Metaschemas.document(uri) { return try add(tree, uri: uri) }
        return nil
    }

    func given(_ uri: String) -> JSONTree? {
        if let known = byURI[uri], resources[known].root == 0 { return documents[resources[known].document].tree }
        return given[uri] ?? Metaschemas.document(uri)
    }

    /// Looks for `$id` and anchors in the schema at `node`, which belongs to `resource`, and in all below it.
    mutating func scan(_ document: Int, _ node: Int, in resource: Int) throws(DomeError) {
        var pending = [(node: node, resource: resource)]
        while let (node, parent) = pending.popLast() {
            guard documents[document].scanned.insert(node).inserted else { continue }
            let tree = documents[document].tree
            guard tree.nodes[node].kind == .object else { continue }
            let own = try identify(tree, document, node, parent)
            let keywords = resources[own].dialect.keywords
            for (name, value) in tree.members(of: node) {
                guard let keyword = keywords[name] else { continue }
                for child in Self.schemas(keyword.holding, tree, value) { pending.append((child, own)) }
            }
        }
    }

    private static func schemas(_ holding: SchemaKeyword.Holding, _ tree: JSONTree, _ value: Int) -> [Int] {
        switch holding {
        case .nothing: []
        case .schema: [value]
        case .list: tree.elements(of: value)
        case .map: tree.members(of: value).map(\.value)
        case .schemaOrList: tree.nodes[value].kind == .array ? tree.elements(of: value) : [value]
        case .mapOfSchemasOrNames: tree.members(of: value).map(\.value).filter { tree.nodes[$0].kind != .array }
        }
    }

    /// What the schema at `node` says about itself; gives the resource it belongs to.
    private mutating func identify(
        _ tree: JSONTree, _ document: Int, _ node: Int, _ parent: Int
    ) throws(DomeError) -> Int {
        var own = parent
        let declared = try declaredDialect(tree, document, node)
        if let declared, node == resources[parent].root { adopt(declared, at: parent) }
        let dialect = declared?.dialect ?? resources[parent].dialect
        // In draft-07 a $ref hides what stands beside it.
        let isHidden = dialect == .draft7 && tree.member("$ref", of: node) != nil
        if let place = tree.member("$id", of: node), !isHidden {
            own = try identified(tree, document, node, place, parent, dialect)
            if let declared { adopt(declared, at: own) }
        }
        if dialect == .draft2019, let place = tree.member("$recursiveAnchor", of: node) {
            try setRecursiveAnchor(tree, document, node, place, own)
        }
        for (keyword, isDynamic) in [("$anchor", false), ("$dynamicAnchor", true)] {
            guard dialect.keywords[keyword] != nil else { continue }
            guard let place = tree.member(keyword, of: node) else { continue }
            guard let name = tree.string(at: place), Self.isAnchor(name, dialect) else {
                throw fail(pointer(document, place), "must be a name: a letter or _, then letters, digits, -, _ and .")
            }
            try setAnchor(name, at: node, in: own, isDynamic: isDynamic, place)
        }
        return own
    }

    private mutating func adopt(_ declared: (dialect: SchemaDialect, vocabularies: SchemaVocabularies), at index: Int) {
        resources[index].dialect = declared.dialect
        resources[index].vocabularies = declared.vocabularies
    }

    private mutating func setAnchor(
        _ name: String, at node: Int, in resource: Int, isDynamic: Bool, _ place: Int
    ) throws(DomeError) {
        if let other = resources[resource].anchors[name], other != node {
            throw fail(
                pointer(resources[resource].document, place),
                "names \"\(name.prefix(64))\" a second time in one schema resource")
        }
        resources[resource].anchors[name] = node
        if isDynamic { resources[resource].dynamicAnchors[name] = node }
    }

    private mutating func identified(
        _ tree: JSONTree, _ document: Int, _ node: Int, _ place: Int, _ parent: Int, _ dialect: SchemaDialect
    ) throws(DomeError) -> Int {
        guard let text = tree.string(at: place) else { throw fail(pointer(document, place), "must be a URI") }
        let reference = SchemaURI(text)
        if let fragment = reference.fragment, !fragment.isEmpty {
            guard dialect == .draft7 else {
                throw fail(pointer(document, place), "must not have a fragment; that is $anchor's")
            }
            if text.hasPrefix("#") {
                try setAnchor(fragment, at: node, in: parent, isDynamic: false, place)
                return parent
            }
        }
        let uri = reference.resolved(against: SchemaURI(resources[parent].uri)).resource
        if node == resources[parent].root, documents[document].roots[node] == parent {
            // A whole document goes by the name it was given, and by the one that it gives itself.
            resources[parent].uri = uri
            byURI[uri] = byURI[uri] ?? parent
            return parent
        }
        if let other = byURI[uri], resources[other].document == document {
            throw fail(pointer(document, place), "gives a second schema the name \(uri.prefix(200))")
        }
        let index = resources.count
        resources.append(
            SchemaResource(
                uri: uri, document: document, root: node, dialect: dialect, vocabularies: resources[parent].vocabularies
            ))
        byURI[uri] = index
        documents[document].roots[node] = index
        return index
    }

    /// What a `$recursiveRef` looks for goes by no name, and marks a whole resource.
    private mutating func setRecursiveAnchor(
        _ tree: JSONTree, _ document: Int, _ node: Int, _ place: Int, _ resource: Int
    ) throws(DomeError) {
        let kind = tree.nodes[place].kind
        guard kind == .yes || kind == .no else { throw fail(pointer(document, place), "must be true or false") }
        if kind == .yes, node == resources[resource].root { resources[resource].dynamicAnchors[Self.recursive] = node }
    }

    /// No anchor's name.
    static let recursive = ""

    private static func isAnchor(_ name: String, _ dialect: SchemaDialect) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first), first != UInt8(ascii: "-"),
            first != UInt8(ascii: ".")
        else { return false }
        return name.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || (0x30...0x39).contains(byte)
                || [UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: ".")].contains(byte)
                || dialect == .draft2019 && byte == UInt8(ascii: ":")
        }
    }
}
