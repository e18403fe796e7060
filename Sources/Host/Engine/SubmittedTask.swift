internal import DomeModel

/// A request's task. Schema and tool get its numbers as they were written; hashes are over its canonical form, in which
/// they are doubles (RFC 8785).
struct SubmittedTask: Sendable {
    let tree: JSONTree
    let value: JSONValue

    /// No task is an empty one.
    init(parsing text: String, what: String) throws(DomeError) {
        tree = try JSONTree.parse(Array((text.isEmpty ? "{}" : text).utf8), what: what)
        value = try tree.value(what: what)
    }

    /// One line.
    var text: String { tree.compact() }

    /// The task as what makes two requests the same. Numbers that doubles cannot tell apart are told apart by their text.
    var identity: JSONValue { tree.hasLongNumbers ? ["value": value, "text": .string(text)] : value }
}

extension JSONTree {
    /// Whether it has a number of more digits than any double keeps.
    fileprivate var hasLongNumbers: Bool {
        nodes.indices.contains { node in
            guard nodes[node].kind == .decimal else { return false }
            return bytes(of: node).count { (0x30...0x39).contains($0) } > 15
        }
    }
}
