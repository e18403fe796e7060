internal import DomeModel

extension SchemaValidator {
    mutating func apply(_ part: SchemaPart<ObjectRules>, _ index: Int, _ at: Int) {
        let count = Int(tree.nodes[at].count)
        if count < part.rules.minimum {
            report(index, "minProperties", "must have at least \(part.rules.minimum) members")
        }
        if count > part.rules.maximum {
            report(index, "maxProperties", "must have at most \(part.rules.maximum) members")
        }
        let first = presence.count
        let needsPresence = part.rules.needsPresence
        if needsPresence { presence.append(contentsOf: repeatElement(false, count: part.rules.names.count)) }
        var position = at + 1
        for ordinal in 0..<count where !isDecided {
            let name = tree.nodes[position]
            let known = part.rules.names.find(name.link, tree.text, Int(name.start), Int(name.count))
            if needsPresence, let known { presence[first + known] = true }
            applyMember(part, index, position, known, ordinal)
            position = tree.next(after: position + 1)
        }
        if needsPresence {
            if !isDecided { applyPresence(part, index, at, first) }
            presence.removeSubrange(first...)
        }
    }

    private mutating func applyMember(
        _ part: SchemaPart<ObjectRules>, _ index: Int, _ name: Int, _ known: Int?, _ ordinal: Int
    ) {
        if let names = part.rules.propertyNames { apply(names, name, step: .member(name)) }
        var isEvaluated = false
        if let known, part.rules.schemas[known] >= 0 {
            isEvaluated = true
            apply(Int(part.rules.schemas[known]), name + 1, step: .member(name))
        }
        for number in part.rules.patterns.indices {
            guard matches(part.rules.patterns[number].pattern, name) else { continue }
            isEvaluated = true
            apply(part.rules.patterns[number].schema, name + 1, step: .member(name))
        }
        if !isEvaluated, let additional = part.rules.additional {
            isEvaluated = true
            if program.nodes[additional].verdict == .refuses {
                report(index, "additionalProperties", at: .member(name), Self.unknownMember(part))
            } else {
                apply(additional, name + 1, step: .member(name))
            }
        }
        if isEvaluated, marksStart >= 0 { marks[marksStart + ordinal] = true }
    }

    private static func unknownMember(_ part: SchemaPart<ObjectRules>) -> String {
        let listed = part.rules.schemas.indices.filter { part.rules.schemas[$0] >= 0 }.prefix(30)
        let known = listed.map { part.rules.names[$0] }.joined(separator: ", ")
        return "is not a known member" + (known.isEmpty ? "" : "; known are \(known)")
    }

    /// False, and the end of it all, if there was no time left for the match.
    mutating func matches(_ pattern: Pattern, _ node: Int) -> Bool {
        guard let verdict = pattern.matches(tree.bytes(of: node), budget: &stepsLeft) else {
            exhaust()
            return false
        }
        return verdict
    }

    private mutating func applyPresence(_ part: SchemaPart<ObjectRules>, _ index: Int, _ at: Int, _ first: Int) {
        for name in part.rules.required where !presence[first + Int(name)] {
            report(index, "required", "the member \"\(part.rules.names[Int(name)])\" is missing")
        }
        for (name, others) in part.rules.dependentRequired where presence[first + Int(name)] {
            for other in others where !presence[first + Int(other)] {
                let names = (part.rules.names[Int(other)], part.rules.names[Int(name)])
                report(
                    index, part.rules.usesDependencies ? "dependencies" : "dependentRequired",
                    "the member \"\(names.0)\" is missing, which \"\(names.1)\" needs")
            }
        }
        for (name, schema) in part.rules.dependentSchemas where presence[first + Int(name)] { apply(schema, at) }
    }

    /// A schema with `unevaluatedProperties` or `unevaluatedItems`: what its other keywords evaluate is noted.
    mutating func applyWithMarks(_ node: SchemaNode, _ index: Int, _ at: Int) {
        let kind = tree.nodes[at].kind
        let schema = Int(kind == .object ? node.unevaluatedProperties : kind == .array ? node.unevaluatedItems : -1)
        guard schema >= 0 else { return applyRules(node, index, at) }
        let (outer, count) = (marksStart, Int(tree.nodes[at].count))
        let start = marks.count
        marks.append(contentsOf: repeatElement(false, count: count))
        stepsLeft -= count / 8
        marksStart = start
        applyRules(node, index, at)
        applyUnevaluated(schema, kind, index, at, start)
        marksStart = outer
        // Whoever asks further out sees all of this as evaluated.
        if outer >= 0 { for ordinal in 0..<count { marks[outer + ordinal] = true } }
        marks.removeSubrange(start...)
    }

    private mutating func applyUnevaluated(
        _ schema: Int, _ kind: JSONTree.Kind, _ index: Int, _ at: Int, _ start: Int
    ) {
        let refuses = program.nodes[schema].verdict == .refuses
        var position = at + 1
        for ordinal in 0..<Int(tree.nodes[at].count) where !isDecided {
            let value = kind == .object ? position + 1 : position
            if !marks[start + ordinal] {
                let step: Step = kind == .object ? .member(position) : .index(ordinal)
                if !refuses {
                    apply(schema, value, step: step)
                } else if kind == .object {
                    report(index, "unevaluatedProperties", at: step, "is not a known member")
                } else {
                    report(index, "unevaluatedItems", at: step, "is one element too many")
                }
            }
            position = tree.next(after: value)
        }
    }
}
