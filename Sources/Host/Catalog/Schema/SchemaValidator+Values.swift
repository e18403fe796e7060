import DomeModel

extension SchemaValidator {
    mutating func apply(_ rules: ObjectRules, _ object: JSONObject) {
        if object.count < rules.minimum { report("minProperties", "must have at least \(rules.minimum) members") }
        if object.count > rules.maximum { report("maxProperties", "must have at most \(rules.maximum) members") }
        for name in rules.required where object[name] == nil {
            report("required", "the member \"\(name)\" is missing")
        }
        for (name, others) in rules.dependentRequired where object[name] != nil {
            for other in others where object[other] == nil {
                report("dependentRequired", "the member \"\(other)\" is missing, which \"\(name)\" needs")
            }
        }
        for (key, value) in object.members {
            if let names = rules.names { apply(names, .string(key), at: .member(key)) }
            var isKnown = false
            if let schema = rules.properties[key] {
                isKnown = true
                apply(schema, value, at: .member(key))
            }
            for (pattern, schema) in rules.patterns where pattern.matches(key) {
                isKnown = true
                apply(schema, value, at: .member(key))
            }
            if !isKnown, let additional = rules.additional { applyAdditional(additional, rules, key, value) }
        }
        for (name, schema) in rules.dependentSchemas where object[name] != nil { apply(schema, .object(object)) }
    }

    private mutating func applyAdditional(_ schema: Int, _ rules: ObjectRules, _ key: String, _ value: JSONValue) {
        guard nodes[schema].rules.verdict == false else { return apply(schema, value, at: .member(key)) }
        path.append(.member(key))
        let known = rules.propertyNames.prefix(30).joined(separator: ", ")
        report("additionalProperties", "is not a known member" + (known.isEmpty ? "" : "; known are \(known)"))
        path.removeLast()
    }

    mutating func apply(_ rules: ArrayRules, _ elements: [JSONValue]) {
        if elements.count < rules.minimum { report("minItems", "must have at least \(rules.minimum) elements") }
        if elements.count > rules.maximum { report("maxItems", "must have at most \(rules.maximum) elements") }
        if rules.mustBeUnique { applyUnique(elements) }
        if let contains = rules.contains { applyContains(contains, rules, elements) }
        guard rules.items != nil || !rules.prefix.isEmpty else { return }
        for (index, element) in elements.enumerated() {
            if index < rules.prefix.count {
                apply(rules.prefix[index], element, at: .index(index))
            } else if let items = rules.items {
                apply(items, element, at: .index(index))
            }
        }
    }

    private mutating func applyContains(_ schema: Int, _ rules: ArrayRules, _ elements: [JSONValue]) {
        var count = 0
        for element in elements where accepts(schema, element) { count += 1 }
        let minimum = rules.minimumContains ?? 1
        if count < minimum { report("contains", "must hold at least \(minimum) fitting elements, not \(count)") }
        if let maximum = rules.maximumContains, count > maximum {
            report("maxContains", "must hold at most \(maximum) fitting elements, not \(count)")
        }
    }

    private mutating func applyUnique(_ elements: [JSONValue]) {
        // Canonical text sorts equal numbers together; it may also join unequal ones, hence the comparison.
        var seen: [[UInt8]: [Int]] = [:]
        for (index, element) in elements.enumerated() {
            let key = element.canonical
            if let twin = seen[key]?.first(where: { elements[$0].isSchemaEqual(to: element) }) {
                report("uniqueItems", "the elements \(twin) and \(index) are equal")
            }
            seen[key, default: []].append(index)
        }
    }

    mutating func apply(_ rules: StringRules, _ text: String) {
        let bytes = text.utf8.count
        // A code point takes one to four bytes: most texts are judged without being counted.
        if rules.minimum > 0, bytes < rules.minimum * 4, text.unicodeScalars.count < rules.minimum {
            report("minLength", "must have at least \(rules.minimum) characters")
        }
        if bytes > rules.maximum, text.unicodeScalars.count > rules.maximum {
            report("maxLength", "must have at most \(rules.maximum) characters")
        }
        if let pattern = rules.pattern, !pattern.matches(text) {
            report("pattern", "does not have the form required by the schema's pattern")
        }
    }

    mutating func apply(_ rules: NumberRules, _ number: SchemaNumber) {
        if let bound = rules.minimum, number.compared(to: bound) < 0 { report("minimum", "must be at least \(bound)") }
        if let bound = rules.maximum, number.compared(to: bound) > 0 { report("maximum", "must be at most \(bound)") }
        if let bound = rules.exclusiveMinimum, number.compared(to: bound) <= 0 {
            report("exclusiveMinimum", "must be greater than \(bound)")
        }
        if let bound = rules.exclusiveMaximum, number.compared(to: bound) >= 0 {
            report("exclusiveMaximum", "must be less than \(bound)")
        }
        if let divisor = rules.multipleOf, !number.isMultiple(of: divisor) {
            report("multipleOf", "must be a multiple of \(divisor)")
        }
    }
}

// Subschemas that look at the same value.
extension SchemaValidator {
    mutating func apply(_ rules: InPlaceRules, _ instance: JSONValue) {
        if let reference = rules.reference { apply(reference, instance) }
        for schema in rules.all { apply(schema, instance) }
        if !rules.any.isEmpty { applyAny(rules.any, instance) }
        if !rules.one.isEmpty { applyOne(rules.one, instance) }
        if let not = rules.not, accepts(not, instance) { report("not", "must not fit the schema under \"not\"") }
        if let condition = rules.condition, rules.consequence != nil || rules.alternative != nil {
            let chosen = accepts(condition, instance) ? rules.consequence : rules.alternative
            if let chosen { apply(chosen, instance) }
        }
    }

    private mutating func applyAny(_ schemas: [Int], _ instance: JSONValue) {
        for schema in schemas where accepts(schema, instance) { return }
        let objections = objections(schemas, instance)
        report("anyOf", "fits none of \(schemas.count) alternatives" + objections)
    }

    private mutating func applyOne(_ schemas: [Int], _ instance: JSONValue) {
        var fitting: [Int] = []
        for (position, schema) in schemas.enumerated() where accepts(schema, instance) { fitting.append(position + 1) }
        if fitting.isEmpty {
            let objections = objections(schemas, instance)
            report("oneOf", "fits none of \(schemas.count) alternatives" + objections)
        } else if fitting.count > 1 {
            let numbers = fitting.map(String.init).joined(separator: " and ")
            report("oneOf", "must fit exactly one alternative, but fits \(numbers) of \(schemas.count)")
        }
    }

    private mutating func objections(_ schemas: [Int], _ instance: JSONValue) -> String {
        var parts: [String] = []
        for schema in schemas.prefix(4) {
            if let objection = firstObjection(schema, instance) { parts.append(objection) }
        }
        return parts.isEmpty ? "" : " (" + parts.joined(separator: "; or ") + ")"
    }
}

extension SchemaNumber: CustomStringConvertible {
    var description: String {
        switch self {
        case .integer(let number): String(number)
        case .double(let number): JSONValue.double(number).compact
        }
    }
}
