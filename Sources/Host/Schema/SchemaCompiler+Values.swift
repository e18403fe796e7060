internal import DomeModel

// Keywords that look at one type of value, and those that look at any.
extension SchemaCompiler {
    mutating func compileAnyType(
        _ keyword: String, _ tree: JSONTree, _ argument: Int, _ place: Place, _ rules: inout SchemaRules
    ) throws(DomeError) -> Bool {
        switch keyword {
        case "type": rules.types = try types(tree, argument, place)
        case "const":
            var group = rules.value ?? ValueRules(tree: tree)
            group.constant = argument
            rules.value = group
        case "enum":
            guard tree.nodes[argument].kind == .array else { throw fail(place, "must be a list of values") }
            var group = rules.value ?? ValueRules(tree: tree)
            let allowed = tree.elements(of: argument)
            if allowed.isEmpty { warn(place, "has no value in it: nothing fits") }
            group.allowed = allowed
            group.hashes = allowed.map { SchemaEquality.hash(tree, $0) }
            rules.value = group
        case "unevaluatedProperties": rules.unevaluatedProperties = try subschema(argument, place)
        case "unevaluatedItems": rules.unevaluatedItems = try subschema(argument, place)
        default: return false
        }
        return true
    }

    private func types(_ tree: JSONTree, _ argument: Int, _ place: Place) throws(DomeError) -> SchemaTypes {
        let names = tree.nodes[argument].kind == .string ? [argument] : tree.elements(of: argument)
        guard !names.isEmpty else { throw fail(place, "must be a type's name or a list of them") }
        var types: SchemaTypes = []
        for name in names {
            let text = tree.string(at: name)
            guard let known = SchemaTypes.named.first(where: { $0.name == text }) else {
                throw fail(place, "must name types among \(SchemaTypes.named.map(\.name).joined(separator: ", "))")
            }
            guard types.insert(known.type).inserted else { throw fail(place, "names a type twice") }
        }
        return types
    }

    private static let objectKeywords: Set = [
        "properties", "patternProperties", "additionalProperties", "propertyNames", "required", "minProperties",
        "maxProperties", "dependentRequired", "dependentSchemas", "dependencies",
    ]

    mutating func compileObject(
        _ keyword: String, _ tree: JSONTree, _ argument: Int, _ place: Place, _ rules: inout SchemaRules
    ) throws(DomeError) -> Bool {
        guard Self.objectKeywords.contains(keyword) else { return false }
        var group = rules.object ?? ObjectRules()
        defer { rules.object = group }
        switch keyword {
        case "properties":
            for (name, schema) in try members(tree, argument, place) {
                let node = try subschema(schema, place.below(name))
                group.schemas[Int(group.id(of: name))] = Int32(truncatingIfNeeded: node)
            }
        case "patternProperties":
            for (text, schema) in try members(tree, argument, place) {
                let node = try subschema(schema, place.below(text))
                group.patterns.append((try pattern(text, place.below(text)), text, node))
            }
        case "additionalProperties": group.additional = try subschema(argument, place)
        case "propertyNames": group.propertyNames = try subschema(argument, place)
        case "required": group.required = try names(tree, argument, place).map { group.id(of: $0) }
        case "minProperties": group.minimum = try count(tree, argument, place)
        case "maxProperties": group.maximum = try count(tree, argument, place)
        case "dependentRequired":
            for (name, list) in try members(tree, argument, place) {
                let others = try names(tree, list, place.below(name)).map { group.id(of: $0) }
                group.dependentRequired.append((group.id(of: name), others))
            }
        case "dependentSchemas":
            for (name, schema) in try members(tree, argument, place) {
                group.dependentSchemas.append((group.id(of: name), try subschema(schema, place.below(name))))
            }
        case "dependencies":
            group.usesDependencies = true
            for (name, value) in try members(tree, argument, place) {
                if tree.nodes[value].kind == .array {
                    let others = try names(tree, value, place.below(name)).map { group.id(of: $0) }
                    group.dependentRequired.append((group.id(of: name), others))
                } else {
                    group.dependentSchemas.append((group.id(of: name), try subschema(value, place.below(name))))
                }
            }
        default: return false
        }
        return true
    }

    mutating func compileArray(
        _ keyword: String, _ tree: JSONTree, _ argument: Int, _ place: Place, _ rules: inout SchemaRules
    ) throws(DomeError) -> Bool {
        var group = rules.array ?? ArrayRules()
        let is2020 = library.resources[place.resource].dialect == .draft2020
        switch keyword {
        case "prefixItems": group.prefix = try list(tree, argument, place)
        case "items":
            if tree.nodes[argument].kind == .array {
                guard !is2020 else { throw fail(place, "must be one schema; a list is prefixItems") }
                // Unlike other lists, this one may be empty.
                if tree.nodes[argument].count > 0 { group.prefix = try list(tree, argument, place) }
            } else {
                group.items = try subschema(argument, place)
            }
        // Only beside a list of items; see `finishItems`.
        case "additionalItems": _ = try subschema(argument, place)
        case "contains":
            group.contains = try subschema(argument, place)
            group.containsEvaluates = is2020
        case "minContains": group.minimumContains = try count(tree, argument, place)
        case "maxContains": group.maximumContains = try count(tree, argument, place)
        case "minItems": group.minimum = try count(tree, argument, place)
        case "maxItems": group.maximum = try count(tree, argument, place)
        case "uniqueItems":
            let kind = tree.nodes[argument].kind
            guard kind == .yes || kind == .no else { throw fail(place, "must be true or false") }
            group.mustBeUnique = kind == .yes
        default: return false
        }
        rules.array = group
        return true
    }

    /// Before 2020-12, `additionalItems` counts beside a list of items alone.
    mutating func finishItems(_ tree: JSONTree, _ node: Int, _ dialect: SchemaDialect, _ rules: inout SchemaRules) {
        guard dialect != .draft2020, let items = tree.member("items", of: node), tree.nodes[items].kind == .array,
            let additional = tree.member("additionalItems", of: node)
        else { return }
        rules.array?.items = known(additional, document: library.resources[rules.resource].document)
        rules.array?.itemsKeyword = "additionalItems"
    }

    mutating func compileScalar(
        _ keyword: String, _ tree: JSONTree, _ argument: Int, _ place: Place, _ rules: inout SchemaRules
    ) throws(DomeError) {
        var string = rules.string ?? StringRules()
        var number = rules.number ?? NumberRules()
        switch keyword {
        case "minLength": string.minimum = try count(tree, argument, place)
        case "maxLength": string.maximum = try count(tree, argument, place)
        case "pattern":
            guard let text = tree.string(at: argument) else { throw fail(place, "must be a regular expression") }
            string.pattern = try pattern(text, place)
            string.patternText = text.cut(toBytes: 200)
        case "format":
            guard let format = try format(tree, argument, place) else { return }
            string.format = format
        case "contentEncoding", "contentMediaType":
            guard let name = tree.string(at: argument) else { throw fail(place, "must be a text") }
            guard assertsContent else { return }
            string.content.note(keyword, name)
        case "minimum": number.minimum = try self.number(tree, argument, place)
        case "maximum": number.maximum = try self.number(tree, argument, place)
        case "exclusiveMinimum": number.exclusiveMinimum = try self.number(tree, argument, place)
        case "exclusiveMaximum": number.exclusiveMaximum = try self.number(tree, argument, place)
        case "multipleOf":
            number.multipleOf = try self.number(tree, argument, place)
            guard number.multipleOf?.isPositive == true else { throw fail(place, "must be greater than 0") }
        default: return
        }
        if ["minLength", "maxLength", "pattern", "format", "contentEncoding", "contentMediaType"].contains(keyword) {
            rules.string = string
        } else {
            rules.number = number
        }
    }

    /// The format to be asserted, if any.
    private mutating func format(_ tree: JSONTree, _ argument: Int, _ place: Place) throws(DomeError) -> SchemaFormat? {
        guard let name = tree.string(at: argument) else { throw fail(place, "must be a format's name") }
        let resource = library.resources[place.resource]
        let known = SchemaFormat(rawValue: name).flatMap { $0.exists(in: resource.dialect) ? $0 : nil }
        if known == nil {
            warn(place, "names \"\(name.prefix(64))\", a format that is not known: it constrains nothing")
        }
        return assertsFormats || resource.vocabularies.contains(.formatAssertion) ? known : nil
    }

    private func names(_ tree: JSONTree, _ argument: Int, _ place: Place) throws(DomeError) -> [String] {
        guard tree.nodes[argument].kind == .array else { throw fail(place, "must be a list of names") }
        var names: [String] = []
        var known = SchemaNames()
        for element in tree.elements(of: argument) {
            guard let name = tree.string(at: element) else { throw fail(place, "must be a list of names") }
            guard known.insert(name) == names.count else { throw fail(place, "names \"\(name.prefix(64))\" twice") }
            names.append(name)
        }
        return names
    }

    private func count(_ tree: JSONTree, _ argument: Int, _ place: Place) throws(DomeError) -> Int {
        guard let number = SchemaNumber(tree, argument), number.isWhole, number.compared(to: .integer(0)) >= 0 else {
            throw fail(place, "must be a whole number, 0 or more")
        }
        // 2.0 and 1e3 are whole too. What is larger than any count is none.
        guard case .integer(let count) = number.reduced else { return .max }
        return Int(clamping: count)
    }

    private func number(_ tree: JSONTree, _ argument: Int, _ place: Place) throws(DomeError) -> SchemaNumber {
        guard let number = SchemaNumber(tree, argument) else { throw fail(place, "must be a number") }
        return number.reduced
    }

    private func pattern(_ text: String, _ place: Place) throws(DomeError) -> Pattern {
        do throws(Pattern.Refusal) {
            return try Pattern(text)
        } catch {
            throw fail(place, "has a regular expression that is not supported: \(error.reason)")
        }
    }
}
