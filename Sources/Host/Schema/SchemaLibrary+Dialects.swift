internal import DomeModel

extension SchemaLibrary {
    /// By `$schema` at `node`: the dialect and, from its metaschema, the vocabularies. Nil if it has none.
    /// Errors: E_INVALID_REQUEST for one that is not known, or needs a vocabulary that is not.
    mutating func declaredDialect(
        _ tree: JSONTree, _ document: Int, _ node: Int
    ) throws(DomeError) -> (dialect: SchemaDialect, vocabularies: SchemaVocabularies)? {
        guard let place = tree.member("$schema", of: node) else { return nil }
        guard let text = tree.string(at: place) else { throw fail(pointer(document, place), "must be a URI") }
        var uri = SchemaURI(text)
        if uri.fragment?.isEmpty == true { uri.fragment = nil }
        let name = uri.description
        if let dialect = SchemaDialect(uri: name) { return (dialect, .standard) }
        let pointer = pointer(document, place)
        guard let metaschema = given(name) else {
            throw fail(
                pointer,
                "names \(name.prefix(200)), which is not known here: known are draft 2020-12, 2019-09 and draft-07")
        }
        return try vocabularies(of: metaschema, pointer)
    }

    private func vocabularies(
        of metaschema: JSONTree, _ pointer: String
    ) throws(DomeError) -> (dialect: SchemaDialect, vocabularies: SchemaVocabularies) {
        let own = metaschema.member("$schema", of: 0).flatMap(metaschema.string) ?? ""
        let dialect = SchemaDialect(uri: SchemaURI(own).resource) ?? .draft2020
        guard dialect != .draft7, let declared = metaschema.member("$vocabulary", of: 0) else {
            return (dialect, .standard)
        }
        var vocabularies: SchemaVocabularies = .core
        for (uri, isRequired) in metaschema.members(of: declared) {
            let prefix = dialect.vocabularyPrefix
            if uri.hasPrefix(prefix), let known = SchemaVocabularies.named[String(uri.dropFirst(prefix.count))] {
                vocabularies.insert(known)
            } else if metaschema.nodes[isRequired].kind == .yes {
                throw fail(pointer, "needs the vocabulary \(uri.prefix(200)), which is not known here")
            }
        }
        return (dialect, vocabularies)
    }

    /// Where the value at `node` stands: a JSON pointer, behind the URI of a document other than the first.
    func pointer(_ document: Int, _ node: Int) -> String {
        let tree = documents[document].tree
        var pointer = ""
        var place = 0
        while place != node {
            let isObject = tree.nodes[place].kind == .object
            guard isObject || tree.nodes[place].kind == .array else { break }
            var child = place + 1
            var index = 0
            while true {
                let value = isObject ? child + 1 : child
                let end = tree.next(after: value)
                if node < end || index + 1 >= tree.nodes[place].count {
                    let name = isObject ? String(decoding: tree.bytes(of: child), as: UTF8.self) : "\(index)"
                    pointer += "/" + JSONPointer.token(name)
                    place = value
                    break
                }
                child = end
                index += 1
            }
        }
        return document == 0 ? pointer : documents[document].uri + "#" + pointer
    }
}
