import DomeClient
import DomeModel
import DomePlatform
import Glibc

/// From the arguments of `dome run` to what is submitted.
struct SubmissionBuilder {
    private static let inputLimitBytes = 64 << 20
    private let invocation: Invocation

    init(_ invocation: Invocation) { self.invocation = invocation }

    func submission() throws(CommandFailure) -> Submission {
        Submission(
            toolID: invocation.argument(0), profile: invocation.value("--profile") ?? "cli",
            idempotencyKey: try key(), taskJSON: try task(), constraintsJSON: try constraints())
    }

    /// An idempotency key that nobody has used.
    static func freshKey() -> String { "cli-" + JobID.make().text.dropFirst(4) }

    private func key() throws(CommandFailure) -> String {
        guard let key = invocation.value("--key") else { return Self.freshKey() }
        guard !key.isEmpty else { throw .usage("--key must not be empty") }
        return key
    }

    /// The task's text. Checked here so that a slip is told with its place, before anything is started.
    private func task() throws(CommandFailure) -> String {
        let text =
            try invocation.value("--task").map { value throws(CommandFailure) in try read(value, "--task") } ?? "{}"
        let what = invocation.value("--task").map { $0.hasPrefix("@") ? String($0.dropFirst()) : "--task" } ?? "--task"
        let document = try local { () throws(DomeError) in try JSONParser.parse(text, what: what) }
        let input = invocation.value("--stdin")
        guard invocation.rest != nil || input != nil else { return text }
        guard var object = document.objectValue else {
            throw .usage("--task must be an object to be completed by -- or --stdin")
        }
        if let arguments = invocation.rest {
            guard object["argv"] == nil else {
                throw .usage("the task has \"argv\" already; leave out what follows --")
            }
            guard !arguments.isEmpty else { throw .usage("nothing follows --; write the command there") }
            object["argv"] = .array(arguments.map { .string($0) })
        }
        if let input {
            guard object["stdin"] == nil else { throw .usage("the task has \"stdin\" already; leave out --stdin") }
            object["stdin"] = .string(input == "-" || input.hasPrefix("@") ? try read(input, "--stdin") : input)
        }
        return JSONValue.object(object).compact
    }

    /// The value itself, or what `@FILE` or `-` names.
    private func read(_ value: String, _ option: String) throws(CommandFailure) -> String {
        guard value == "-" || value.hasPrefix("@") else { return value }
        let place = value == "-" ? value : String(value.dropFirst())
        let bytes = try InputFile.read(place, limitBytes: Self.inputLimitBytes)
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw CommandFailure(
                "\(option): \(place == "-" ? "standard input" : place) is not valid UTF-8", status: ExitStatus.dataError
            )
        }
        return text
    }

    /// What is asked of dome, of `dome run` and of `dome sandbox explain`.
    func constraints() throws(CommandFailure) -> String {
        // The job is followed: the reply need not wait for its end.
        var object: JSONObject = ["wait_ms": 0]
        if let text = invocation.value("--timeout") {
            guard let milliseconds = Quantity.milliseconds(text), milliseconds > 0 else {
                throw .usage("--timeout must be a duration such as 90s, 5m or 1h, not '\(text)'")
            }
            object["timeout_ms"] = .count(milliseconds)
        }
        if let text = invocation.value("--priority") {
            guard let number = Int64(text), (-100...100).contains(number) else {
                throw .usage("--priority must be a whole number from -100 to 100, not '\(text)'")
            }
            object["priority"] = .integer(number)
        }
        var grants: [JSONValue] = []
        for text in invocation.values("--grant") { grants.append(.string(try grant(text).description)) }
        if !grants.isEmpty { object["grants"] = .array(grants) }
        return JSONValue.object(object).compact
    }

    /// A permission as typed: a relative path is made absolute, as the daemon's current folder means nothing.
    private func grant(_ text: String) throws(CommandFailure) -> Permission {
        var text = text
        for prefix in ["fs.read:", "fs.write:"] where text.hasPrefix(prefix) {
            let path = String(text.dropFirst(prefix.count))
            guard !path.isEmpty else { throw .usage("--grant \(prefix)PATH needs a path") }
            if path != "*", let absolute = Self.absolute(path) { text = prefix + absolute }
        }
        let permission = text
        do throws(DomeError) {
            return try Permission(parsing: permission)
        } catch {
            throw .usage("--grant: \(error.message)")
        }
    }

    /// Resolved if it exists; else below the current folder, for the daemon to refuse by name.
    private static func absolute(_ path: String) -> String? {
        if let pointer = realpath(path, nil) {
            defer { free(pointer) }
            return String(cString: pointer)
        }
        guard !path.hasPrefix("/"), let pointer = getcwd(nil, 0) else { return nil }
        defer { free(pointer) }
        return String(cString: pointer) + "/" + path
    }
}
