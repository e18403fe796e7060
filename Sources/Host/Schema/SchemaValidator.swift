internal import DomeModel

/// One validation under way. Instance and schema are both taken as hostile: recursion and work are bounded, and
/// running into a bound is a violation, never a pass.
struct SchemaValidator {
    /// More violations are counted, not listed.
    static let violationLimit = 200
    /// Schemas within schemas on the stack at once.
    static let depthLimit = 640
    /// Schemas applied in one validation, besides some for each value of the instance.
    static let stepLimit = 2_000_000
    static let stepsPerValue = 16

    let program: SchemaProgram
    let tree: JSONTree

    /// Where in the instance we are: a member's name or an element, as nodes and indices.
    enum Step {
        case member(Int)
        case index(Int)
    }

    var path: [Step] = []
    /// Of the objects that are being looked at: which of the names that matter are there.
    var presence: [Bool] = []
    /// Of the objects and arrays that a schema with `unevaluated…` is looking at: which members were evaluated.
    var marks: [Bool] = []
    /// Where the marks of the current instance begin; -1: nobody asks for them.
    var marksStart = -1
    /// The resources that led here, outermost first; kept only if there is a `$dynamicRef`.
    var scopes: [Int32] = []

    private(set) var violations: [SchemaViolation] = []
    /// Violations found, listed or not: what a verdict goes by.
    private(set) var failures = 0
    /// Above 0 only the verdict matters: then the first failure is enough.
    var silence = 0
    private var failuresBefore = 0
    private var depth = 0
    var stepsLeft: Int
    private(set) var isExhausted = false

    init(_ program: SchemaProgram, _ tree: JSONTree) {
        self.program = program
        self.tree = tree
        stepsLeft = Self.stepLimit + Self.stepsPerValue * tree.nodes.count
    }

    mutating func validate() -> [SchemaViolation] {
        apply(0, 0)
        if failures > violations.count, violations.count == Self.violationLimit {
            let more = "and \(failures - violations.count) more violations"
            violations.append(SchemaViolation(pointer: "", keyword: "", message: more))
        }
        return violations
    }

    mutating func acceptsInstance() -> Bool {
        silence = 1
        apply(0, 0)
        return failures == 0
    }

    /// Whether what is going on has been decided.
    var isDecided: Bool { silence > 0 && failures != failuresBefore || isExhausted }

    mutating func exhaust() {
        guard !isExhausted else { return }
        isExhausted = true
        failures += 1
        violations.append(SchemaViolation(pointer: "", keyword: "", message: "is too deep or too large for its schema"))
    }

    /// Applies the schema `index` to the value at `at`.
    mutating func apply(_ index: Int, _ at: Int) {
        guard !isExhausted else { return }
        stepsLeft -= 1
        guard depth < Self.depthLimit, stepsLeft >= 0 else { return exhaust() }
        let node = program.nodes[index]
        guard node.verdict == .depends else {
            if node.verdict == .refuses { report(index, "", "is not allowed here") }
            return
        }
        depth += 1
        let entersScope = !program.dynamicTargets.isEmpty && scopes.last != node.resource
        if entersScope { scopes.append(node.resource) }
        if node.unevaluatedProperties >= 0 || node.unevaluatedItems >= 0 {
            applyWithMarks(node, index, at)
        } else {
            applyRules(node, index, at)
        }
        if entersScope { scopes.removeLast() }
        depth -= 1
    }

    mutating func applyRules(_ node: SchemaNode, _ index: Int, _ at: Int) {
        let value = tree.nodes[at]
        if !node.types.isEmpty, !fits(node.types, value, at) {
            let tree = tree
            report(
                index, "type",
                "must be \(node.types.prose), not \(SchemaTypes.article(SchemaCompiler.typeName(tree, at)))")
        }
        if node.value >= 0 { apply(program.values[Int(node.value)].rules, index, at) }
        switch value.kind {
        case .object: if node.object >= 0 { apply(program.objects[Int(node.object)], index, at) }
        case .array: if node.array >= 0 { apply(program.arrays[Int(node.array)], index, at) }
        case .string: if node.string >= 0 { apply(program.strings[Int(node.string)], index, at) }
        case .integer, .decimal: if node.number >= 0 { apply(program.numbers[Int(node.number)], index, at) }
        case .null, .no, .yes: break
        }
        if node.inPlace >= 0, !isDecided { apply(program.inPlaces[Int(node.inPlace)], index, at) }
    }

    private func fits(_ types: SchemaTypes, _ value: JSONTree.Node, _ at: Int) -> Bool {
        switch value.kind {
        case .null: types.contains(.null)
        case .no, .yes: types.contains(.boolean)
        case .integer: !types.isDisjoint(with: [.integer, .number])
        // A whole number, 1.0 among them, is an integer too.
        case .decimal:
            types.contains(.number)
                || types.contains(.integer) && SchemaNumber(tree, at)?.isWhole == true
        case .string: types.contains(.string)
        case .array: types.contains(.array)
        case .object: types.contains(.object)
        }
    }

    mutating func report(
        _ node: Int, _ keyword: StaticString, at step: Step? = nil, _ message: @autoclosure () -> String
    ) {
        failures += 1
        guard silence == 0, violations.count < Self.violationLimit else { return }
        let (name, place) = ("\(keyword)", program.locations[node])
        violations.append(
            SchemaViolation(
                pointer: pointer(step), keyword: name.isEmpty ? "false" : name, message: message(),
                schemaPointer: name.isEmpty ? place : place + "/" + name))
    }

    private func pointer(_ last: Step?) -> String {
        var output = ""
        for step in path + (last.map { [$0] } ?? []) {
            output += "/"
            switch step {
            case .member(let node): output += JSONPointer.token(String(decoding: tree.bytes(of: node), as: UTF8.self))
            case .index(let index): output += String(index)
            }
        }
        return output
    }

    /// Applies `node` to a value inside the current one.
    mutating func apply(_ node: Int, _ at: Int, step: Step) {
        let outer = marksStart
        marksStart = -1
        path.append(step)
        apply(node, at)
        path.removeLast()
        marksStart = outer
    }

    /// Whether `node` accepts the value at `at`; lists nothing.
    mutating func accepts(_ node: Int, _ at: Int) -> Bool {
        let (before, outer) = (failures, failuresBefore)
        silence += 1
        failuresBefore = failures
        apply(node, at)
        silence -= 1
        failuresBefore = outer
        let isAccepted = failures == before
        if !isExhausted { failures = before }
        return isAccepted
    }

    /// What `node` first says against the value at `at`, for a message about alternatives.
    mutating func firstObjection(_ node: Int, _ at: Int) -> String? {
        guard silence == 0, !isExhausted, violations.count < Self.violationLimit else { return nil }
        let (before, listed) = (failures, violations.count)
        apply(node, at)
        let objection = violations.count > listed ? violations[listed].description : nil
        if !isExhausted {
            violations.removeSubrange(listed...)
            failures = before
        }
        return objection
    }
}
