import DomeModel
import DomePlatform
import DomeSchema

/// A folder of test cases in the layout of JSON-Schema-Test-Suite: `tests/DRAFT/…` with the cases, `remotes/…` with
/// the documents that they refer to as http://localhost:1234/….
struct SchemaSuite {
    /// One file of cases.
    struct FileResult {
        /// Below `tests`.
        var name: String
        var passed = 0
        /// One line each: group, case, and what came of it.
        var failures: [String] = []
    }

    /// The drafts that are understood, by folder.
    static let drafts: [(folder: String, dialect: SchemaDialect)] = [
        ("draft2020-12", .draft2020), ("draft2019-09", .draft2019), ("draft7", .draft7),
    ]
    private static let remoteBase = "http://localhost:1234/"
    private static let fileLimitBytes = 64 << 20

    let folder: String
    private var remotes: [String: JSONTree] = [:]

    /// Errors: E_NOT_FOUND if the folder has no tests of a draft that is understood.
    init(_ folder: String) throws(DomeError) {
        self.folder = folder
        guard Self.drafts.contains(where: { Files.isDirectory(folder + "/tests/" + $0.folder) }) else {
            let names = Self.drafts.map { "tests/" + $0.folder }.joined(separator: ", ")
            throw DomeError(.notFound, "\(folder) has none of \(names)")
        }
        guard Files.isDirectory(folder + "/remotes") else { return }
        for name in try Self.files(below: folder + "/remotes") {
            // What cannot be read is missed by the cases that need it, and by no others.
            remotes[Self.remoteBase + name] = try? Self.document(folder + "/remotes/" + name)
        }
    }

    /// Runs every file of every draft, in order; calls `report` after each.
    func run(_ report: (FileResult) throws(CommandFailure) -> Void) throws(CommandFailure) {
        for (draft, dialect) in Self.drafts where Files.isDirectory(folder + "/tests/" + draft) {
            let base = folder + "/tests/" + draft
            for name in try local({ () throws(DomeError) in try Self.files(below: base) }) {
                let tree: JSONTree
                do throws(DomeError) {
                    tree = try Self.document(base + "/" + name)
                } catch {
                    try report(FileResult(name: draft + "/" + name, failures: [error.message]))
                    continue
                }
                var options = JSONSchema.Options()
                options.defaultDialect = dialect
                options.documents = remotes
                options.assertsFormats = name.hasPrefix("optional/format/")
                options.assertsContent = name == "optional/content.json"
                try report(Self.run(draft + "/" + name, tree, options))
            }
        }
    }

    private static func run(_ name: String, _ tree: JSONTree, _ options: JSONSchema.Options) -> FileResult {
        var result = FileResult(name: name)
        guard tree.nodes[0].kind == .array else {
            result.failures.append("is no list of groups of cases")
            return result
        }
        for group in tree.elements(of: 0) {
            let title = text(tree, "description", group)
            guard let place = tree.member("schema", of: group), let tests = tree.member("tests", of: group),
                tree.nodes[tests].kind == .array
            else {
                result.failures.append("\(title): has no \"schema\" or no list of \"tests\"")
                continue
            }
            var refusal = ""
            var schema: JSONSchema?
            do throws(DomeError) {
                schema = try JSONSchema.compile(tree.subtree(place), what: "it", options: options)
            } catch {
                refusal = "refused: " + error.message
            }
            for test in tree.elements(of: tests) {
                let outcome = outcome(tree, test, schema, refusal)
                if let outcome {
                    result.failures.append("\(title): \(text(tree, "description", test)): \(outcome)")
                } else {
                    result.passed += 1
                }
            }
        }
        return result
    }

    /// What went wrong; nil if nothing did.
    private static func outcome(_ tree: JSONTree, _ test: Int, _ schema: JSONSchema?, _ refusal: String) -> String? {
        guard let data = tree.member("data", of: test), let valid = tree.member("valid", of: test),
            [.yes, .no].contains(tree.nodes[valid].kind)
        else { return "has no \"data\", or no \"valid\" that is true or false" }
        guard let schema else { return refusal }
        let instance = tree.subtree(data)
        let violations = schema.validate(instance)
        guard violations.isEmpty == schema.accepts(instance) else { return "two ways of validation disagree" }
        if violations.isEmpty == (tree.nodes[valid].kind == .yes) { return nil }
        return violations.isEmpty
            ? "accepted, must be rejected"
            : "rejected, must be accepted: " + violations.prefix(3).map(\.description).joined(separator: "; ")
    }

    private static func text(_ tree: JSONTree, _ name: String, _ node: Int) -> String {
        tree.member(name, of: node).flatMap(tree.string) ?? "?"
    }

    private static func document(_ path: String) throws(DomeError) -> JSONTree {
        // The official suite has a group with two descriptions.
        try JSONTree.parse(try Files.read(path, limitBytes: fileLimitBytes), what: path, refusesTwins: false)
    }

    /// The JSON files below `folder`, by their path in it, in order.
    private static func files(below folder: String) throws(DomeError) -> [String] {
        var found: [String] = []
        var pending = [""]
        while let below = pending.popLast() {
            for name in try Files.list(folder + "/" + below) where !name.hasPrefix(".") {
                let path = below + name
                if Files.isDirectory(folder + "/" + path) {
                    if path.split(separator: "/").count < 16 { pending.append(path + "/") }
                } else if name.hasSuffix(".json") {
                    found.append(path)
                }
            }
        }
        return found.sorted()
    }
}
