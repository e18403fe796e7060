import DomeModel

/// One validation under way. Instance and schema are both taken as hostile: recursion and work are bounded, and
/// running into a bound is a violation, never a pass.
struct SchemaValidator {
    /// More violations are counted, not listed.
    static let violationLimit = 200
    /// Schemas within schemas on the stack at once.
    static let depthLimit = 512
    /// Schemas applied in one validation.
    static let stepLimit = 2_000_000

    enum Step {
        case member(String)
        case index(Int)
    }

    let nodes: [SchemaNode]
    var path: [Step] = []
    private(set) var violations: [SchemaViolation] = []
    /// Violations found, listed or not: what a verdict goes by.
    private(set) var failures = 0
    /// Above 0 only the verdict matters.
    private var silence = 0
    private var depth = 0
    private var steps = 0
    private var isExhausted = false

    init(_ nodes: [SchemaNode]) { self.nodes = nodes }

    mutating func validate(_ instance: JSONValue) -> [SchemaViolation] {
        apply(0, instance)
        if failures > violations.count, violations.count == Self.violationLimit {
            let more = "and \(failures - violations.count) more violations"
            violations.append(SchemaViolation(pointer: "", keyword: "", message: more))
        }
        return violations
    }

    /// Applies the schema `node` to `instance`, which lies at `path`.
    mutating func apply(_ node: Int, _ instance: JSONValue) {
        guard !isExhausted else { return }
        steps += 1
        guard depth < Self.depthLimit, steps <= Self.stepLimit else {
            isExhausted = true
            failures += 1
            violations.append(
                SchemaViolation(pointer: "", keyword: "", message: "is too deep or too large for its schema"))
            return
        }
        depth += 1
        defer { depth -= 1 }
        applyRules(nodes[node], instance)
    }

    private mutating func applyRules(_ node: SchemaNode, _ instance: JSONValue) {
        if let verdict = node.rules.verdict {
            if !verdict { report("false", "is not allowed here") }
            return
        }
        let types = node.rules.types
        if !types.isEmpty, types.isDisjoint(with: SchemaTypes.of(instance)) {
            report("type", "must be \(types.prose), not \(SchemaTypes.article(instance.typeName))")
        }
        if let constant = node.rules.constant, !constant.isSchemaEqual(to: instance) {
            report("const", "must be \(Self.shown(constant))")
        }
        if let allowed = node.rules.allowed, !allowed.contains(where: { $0.isSchemaEqual(to: instance) }) {
            let some = allowed.prefix(20).map(Self.shown).joined(separator: ", ")
            report("enum", "must be one of \(some)" + (allowed.count > 20 ? ", …" : ""))
        }
        switch instance {
        case .object(let object): if let rules = node.rules.object { apply(rules, object) }
        case .array(let elements): if let rules = node.rules.array { apply(rules, elements) }
        case .string(let text): if let rules = node.rules.string { apply(rules, text) }
        case .integer(let number): if let rules = node.rules.number { apply(rules, .integer(number)) }
        case .double(let number): if let rules = node.rules.number { apply(rules, .double(number)) }
        case .null, .bool: break
        }
        if let rules = node.rules.inPlace { apply(rules, instance) }
    }

    /// A value of the schema (never of the instance) for a message.
    private static func shown(_ value: JSONValue) -> String {
        let text = value.compact
        return text.utf8.count <= 80 ? text : String(text.prefix(77)) + "…"
    }

    mutating func report(_ keyword: StaticString, _ message: @autoclosure () -> String) {
        failures += 1
        guard silence == 0, violations.count < Self.violationLimit else { return }
        violations.append(SchemaViolation(pointer: pointer, keyword: "\(keyword)", message: message()))
    }

    private var pointer: String {
        var output = ""
        for step in path {
            output += "/"
            switch step {
            case .member(let name): output += JSONPointer.token(name)
            case .index(let index): output += String(index)
            }
        }
        return output
    }

    /// Applies `node` one step deeper.
    mutating func apply(_ node: Int, _ instance: JSONValue, at step: Step) {
        path.append(step)
        apply(node, instance)
        path.removeLast()
    }

    /// Whether `node` accepts `instance`; lists nothing.
    mutating func accepts(_ node: Int, _ instance: JSONValue) -> Bool {
        silence += 1
        let before = failures
        apply(node, instance)
        silence -= 1
        defer { if !isExhausted { failures = before } }
        return failures == before
    }

    /// What `node` first says against `instance`, for a message about alternatives.
    mutating func firstObjection(_ node: Int, _ instance: JSONValue) -> String? {
        guard silence == 0, violations.count < Self.violationLimit else { return nil }
        let (before, listed) = (failures, violations.count)
        apply(node, instance)
        let objection = violations.count > listed ? violations[listed].description : nil
        if !isExhausted {
            violations.removeSubrange(listed...)
            failures = before
        }
        return objection
    }
}
