internal import DomeModel

extension SchemaValidator {
    mutating func apply(_ rules: ValueRules, _ index: Int, _ at: Int) {
        if let constant = rules.constant, !SchemaEquality.areEqual(rules.tree, constant, tree, at) {
            report(index, "const", "must be \(Self.shown(rules.tree, constant))")
        }
        guard let allowed = rules.allowed else { return }
        let hash = SchemaEquality.hash(tree, at)
        stepsLeft -= allowed.count / 16 + (tree.next(after: at) - at) / 4
        for (position, candidate) in rules.hashes.enumerated() where candidate == hash {
            if SchemaEquality.areEqual(rules.tree, allowed[position], tree, at) { return }
        }
        let some = allowed.prefix(20).map { Self.shown(rules.tree, $0) }.joined(separator: ", ")
        report(index, "enum", "must be one of \(some)" + (allowed.count > 20 ? ", …" : ""))
    }

    /// A value of the schema (never of the instance) for a message.
    private static func shown(_ tree: JSONTree, _ node: Int) -> String {
        let text = tree.compact(node)
        return text.utf8.count <= 80 ? text : String(text.prefix(77)) + "…"
    }

    mutating func apply(_ part: SchemaPart<ArrayRules>, _ index: Int, _ at: Int) {
        let count = Int(tree.nodes[at].count)
        if count < part.rules.minimum { report(index, "minItems", "must have at least \(part.rules.minimum) elements") }
        if count > part.rules.maximum { report(index, "maxItems", "must have at most \(part.rules.maximum) elements") }
        if part.rules.mustBeUnique { applyUnique(index, at) }
        if let contains = part.rules.contains { applyContains(contains, part, index, at) }
        let (items, prefix) = (part.rules.items, part.rules.prefix.count)
        guard items != nil || prefix > 0 else { return }
        var position = at + 1
        for ordinal in 0..<count where !isDecided {
            if ordinal < prefix {
                apply(part.rules.prefix[ordinal], position, step: .index(ordinal))
            } else if let items {
                apply(items, position, step: .index(ordinal))
            } else {
                return
            }
            if marksStart >= 0 { marks[marksStart + ordinal] = true }
            position = tree.next(after: position)
        }
    }

    private mutating func applyContains(_ schema: Int, _ part: SchemaPart<ArrayRules>, _ index: Int, _ at: Int) {
        let minimum = part.rules.minimumContains ?? 1
        let outer = marksStart
        var (fitting, position) = (0, at + 1)
        for ordinal in 0..<Int(tree.nodes[at].count) {
            marksStart = -1
            let isFitting = accepts(schema, position)
            marksStart = outer
            if isFitting {
                fitting += 1
                if outer >= 0, part.rules.containsEvaluates { marks[outer + ordinal] = true }
            }
            // Enough is enough, where nobody asks which they are.
            if outer < 0, part.rules.maximumContains == nil, fitting >= minimum { return }
            position = tree.next(after: position)
        }
        if fitting < minimum {
            report(
                index, part.rules.minimumContains == nil ? "contains" : "minContains",
                "must hold at least \(minimum) fitting elements, not \(fitting)")
        }
        if let maximum = part.rules.maximumContains, fitting > maximum {
            report(index, "maxContains", "must hold at most \(maximum) fitting elements, not \(fitting)")
        }
    }

    private mutating func applyUnique(_ index: Int, _ at: Int) {
        let count = Int(tree.nodes[at].count)
        stepsLeft -= (tree.next(after: at) - at) / 4
        guard stepsLeft >= 0 else { return exhaust() }
        var places: [(hash: UInt64, ordinal: Int, node: Int)] = []
        places.reserveCapacity(count)
        var position = at + 1
        for ordinal in 0..<count {
            places.append((SchemaEquality.hash(tree, position), ordinal, position))
            position = tree.next(after: position)
        }
        places.sort { ($0.hash, $0.ordinal) < ($1.hash, $1.ordinal) }
        for next in 1..<max(count, 1) where places[next].hash == places[next - 1].hash {
            let (one, other) = (places[next - 1], places[next])
            guard SchemaEquality.areEqual(tree, one.node, tree, other.node) else { continue }
            report(index, "uniqueItems", "the elements \(one.ordinal) and \(other.ordinal) are equal")
            if isDecided { return }
        }
    }

    mutating func apply(_ part: SchemaPart<StringRules>, _ index: Int, _ at: Int) {
        let bytes = Int(tree.nodes[at].count)
        // A code point takes one to four bytes: most texts are judged without being counted.
        let minimum = part.rules.minimum
        if bytes < minimum || bytes / 4 < minimum && minimum > 0 && scalarCount(at) < minimum {
            report(index, "minLength", "must have at least \(part.rules.minimum) characters")
        }
        if bytes > part.rules.maximum, scalarCount(at) > part.rules.maximum {
            report(index, "maxLength", "must have at most \(part.rules.maximum) characters")
        }
        if let pattern = part.rules.pattern, !matches(pattern, at) {
            report(index, "pattern", "does not match the schema's pattern \(part.rules.patternText)")
        }
        if let format = part.rules.format {
            stepsLeft -= bytes / 16
            if !format.accepts(tree.bytes(of: at)) { report(index, "format", "must be \(format.prose)") }
        }
        if !part.rules.content.isEmpty {
            stepsLeft -= bytes / 4
            if let (keyword, message) = part.rules.content.objection(to: tree.bytes(of: at)) {
                report(index, keyword, message)
            }
        }
    }

    private func scalarCount(_ at: Int) -> Int {
        var count = 0
        for byte in tree.bytes(of: at) where byte & 0xc0 != 0x80 { count += 1 }
        return count
    }

    mutating func apply(_ part: SchemaPart<NumberRules>, _ index: Int, _ at: Int) {
        guard let number = SchemaNumber(tree, at) else { return }
        if let bound = part.rules.minimum, number.compared(to: bound) < 0 {
            report(index, "minimum", "must be at least \(bound)")
        }
        if let bound = part.rules.maximum, number.compared(to: bound) > 0 {
            report(index, "maximum", "must be at most \(bound)")
        }
        if let bound = part.rules.exclusiveMinimum, number.compared(to: bound) <= 0 {
            report(index, "exclusiveMinimum", "must be greater than \(bound)")
        }
        if let bound = part.rules.exclusiveMaximum, number.compared(to: bound) >= 0 {
            report(index, "exclusiveMaximum", "must be less than \(bound)")
        }
        guard let divisor = part.rules.multipleOf else { return }
        if case .decimal = number { stepsLeft -= Int(tree.nodes[at].count) }
        switch number.isMultiple(of: divisor) {
        case true?: break
        case false?: report(index, "multipleOf", "must be a multiple of \(divisor)")
        case nil: report(index, "multipleOf", "has too many digits to be held against a multiple of \(divisor)")
        }
    }
}
