package import DomeModel

/// What a manifest says of its tool for those who choose between tools: nothing of it decides what a job may do.
package struct ToolAdvice: Sendable, Equatable {
    /// Hints of the Model Context Protocol's kind; nil: not said.
    package var isReadOnly: Bool?
    package var isDestructive: Bool?
    package var isIdempotent: Bool?
    package var isOpenWorld: Bool?
    package var examples: [Example] = []
    /// What to use instead, for a tool or a version that shall not be used any more; "" if it may.
    package var deprecation = ""

    /// A task that the tool takes, to learn from.
    package struct Example: Sendable, Equatable {
        package var title: String
        package var task: JSONValue
        /// Permissions that the task needs by grant.
        package var grants: [String]
    }

    private static let examplesLimit = 20

    init(_ reader: inout MemberReader) throws(DomeError) {
        var hints = MemberReader(
            try reader.object("annotations") ?? JSONObject(), what: reader.what + ": annotations")
        isReadOnly = try hints.flag("read_only")
        isDestructive = try hints.flag("destructive")
        isIdempotent = try hints.flag("idempotent")
        isOpenWorld = try hints.flag("open_world")
        try hints.finish()
        deprecation = try reader.optionalText("deprecated", limit: 200) ?? ""
        guard let value = reader.value("examples") else { return }
        guard let list = value.arrayValue, list.count <= Self.examplesLimit else {
            throw reader.fail("\"examples\" must be a list of at most \(Self.examplesLimit) objects")
        }
        for (index, element) in list.enumerated() {
            let what = "\(reader.what): examples[\(index)]"
            guard let object = element.objectValue else {
                throw DomeError(.invalidRequest, "\(what) must be an object with \"title\" and \"task\"")
            }
            var example = MemberReader(object, what: what)
            let title = try example.text("title", limit: 200)
            guard let task = example.value("task") else { throw example.fail("\"task\" is missing") }
            let grants = try example.permissions("grants").map(\.description)
            try example.finish()
            examples.append(Example(title: title, task: task, grants: grants))
        }
    }
}
