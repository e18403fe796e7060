internal import DomeModel

// Subschemas that look at the same value.
extension SchemaValidator {
    mutating func apply(_ part: SchemaPart<InPlaceRules>, _ index: Int, _ at: Int) {
        if let reference = part.rules.reference { apply(reference, at) }
        if let (target, name) = part.rules.dynamicReference { apply(resolved(target, name), at) }
        for schema in part.rules.all where !isDecided { apply(schema, at) }
        if !part.rules.any.isEmpty, !isDecided { applyAny(part.rules.any, index, at) }
        if !part.rules.one.isEmpty, !isDecided { applyOne(part.rules.one, index, at) }
        if let not = part.rules.not, !isDecided {
            let outer = marksStart
            marksStart = -1
            if accepts(not, at) { report(index, "not", "must not fit the schema under \"not\"") }
            marksStart = outer
        }
        if let condition = part.rules.condition, !isDecided {
            guard part.rules.consequence != nil || part.rules.alternative != nil || marksStart >= 0 else { return }
            let chosen = branch(condition, at) ? part.rules.consequence : part.rules.alternative
            if let chosen { apply(chosen, at) }
        }
    }

    /// What a `$dynamicRef` leads to: the anchor of that name in the outermost resource on the way here.
    private func resolved(_ target: Int, _ name: Int?) -> Int {
        guard let name else { return target }
        for scope in scopes { if let found = program.dynamicTargets[name][Int(scope)] { return found } }
        return target
    }

    /// Whether `schema` accepts the value; if so, what it evaluated is noted.
    private mutating func branch(_ schema: Int, _ at: Int) -> Bool {
        guard marksStart >= 0 else { return accepts(schema, at) }
        let (outer, start, count) = (marksStart, marks.count, Int(tree.nodes[at].count))
        marks.append(contentsOf: repeatElement(false, count: count))
        stepsLeft -= count / 8
        marksStart = start
        let isAccepted = accepts(schema, at)
        marksStart = outer
        if isAccepted { for ordinal in 0..<count where marks[start + ordinal] { marks[outer + ordinal] = true } }
        marks.removeSubrange(start...)
        return isAccepted
    }

    private mutating func applyAny(_ schemas: [Int], _ index: Int, _ at: Int) {
        var isAccepted = false
        for schema in schemas where branch(schema, at) {
            isAccepted = true
            // Further ones matter only for what they evaluate.
            if marksStart < 0 { return }
        }
        guard !isAccepted, !isExhausted else { return }
        let objections = objections(schemas, at)
        report(index, "anyOf", "fits none of \(schemas.count) alternatives" + objections)
    }

    private mutating func applyOne(_ schemas: [Int], _ index: Int, _ at: Int) {
        var fitting: [Int] = []
        for (position, schema) in schemas.enumerated() where branch(schema, at) {
            fitting.append(position + 1)
            if fitting.count > 1, silence > 0 { break }
        }
        if fitting.isEmpty, !isExhausted {
            let objections = objections(schemas, at)
            report(index, "oneOf", "fits none of \(schemas.count) alternatives" + objections)
        } else if fitting.count > 1 {
            let numbers = fitting.map(String.init).joined(separator: " and ")
            report(index, "oneOf", "must fit exactly one alternative, but fits \(numbers) of \(schemas.count)")
        }
    }

    private mutating func objections(_ schemas: [Int], _ at: Int) -> String {
        guard silence == 0 else { return "" }
        let outer = marksStart
        marksStart = -1
        defer { marksStart = outer }
        var parts: [String] = []
        for schema in schemas.prefix(4) {
            if let objection = firstObjection(schema, at) { parts.append(objection) }
        }
        return parts.isEmpty ? "" : " (" + parts.joined(separator: "; or ") + ")"
    }
}
