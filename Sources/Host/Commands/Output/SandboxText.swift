import DomeModel

/// A sandbox's explanation in plain words. Reads the daemon's document with a word for whatever it lacks: a daemon of
/// another version may say less, or more.
struct SandboxText {
    private let document: JSONValue
    private let style: Style
    private let width: Int?

    init(_ document: JSONValue, style: Style, width: Int?) {
        (self.document, self.style, self.width) = (document, style, width)
    }

    var text: String {
        let tool = "\(string("tool_id")) \(string("version"))"
        var output = verdict(tool)
        guard document["has_process"]?.boolValue == true else {
            return output + "\nThe daemon carries this tool out itself: no process is started, no file is touched.\n"
        }
        output += "\n" + fields + "\n" + style.bold("limits:") + "\n" + limits
        output += "\n" + style.bold("layers, and what each stops:") + "\n" + layers
        output += section("a caller may add by --grant:", offers)
        output += section("known only when a job runs:", Self.openQuestions)
        return output
    }

    // MARK: Parts

    private func verdict(_ tool: String) -> String {
        let reasons = list("refused").map(refusal) + texts("obstacles")
        guard !reasons.isEmpty else {
            return style.green("A job of \(Rendered.line(tool)) would be let run.") + "\n"
        }
        let lines = reasons.map { "  \(Rendered.line($0))\n" }.joined()
        return style.red("A job of \(Rendered.line(tool)) would be refused:") + "\n" + lines
    }

    private func refusal(_ entry: JSONValue) -> String {
        let what = entry["permission"]?.stringValue.map { $0 + ": " } ?? ""
        let remedy = entry["remedy"]?.stringValue ?? ""
        return what + (entry["reason"]?.stringValue ?? "no reason given") + (remedy.isEmpty ? "" : "; " + remedy)
    }

    /// The granted paths that are read, those that are written, and what only is read in these.
    private var grants: (read: [String], written: [String], kept: [String]) {
        let granted = document["files"]?["granted"]?.arrayValue ?? []
        let written = granted.filter { $0["access"]?.stringValue == "write" }.map(path)
        let rest = granted.filter { $0["access"]?.stringValue != "write" }.map(path)
        func isKept(_ path: String) -> Bool { written.contains { path.hasPrefix($0 + "/") } }
        return (rest.filter { !isKept($0) }, written, rest.filter(isKept))
    }

    private var fields: String {
        var fields = Fields()
        fields.add("asks for", joined(texts("asks_for"), none: "nothing"))
        if let user = document["runs_as"]?["uid"]?.integerValue {
            fields.add("runs as", "uid \(user)" + (user == 65534 ? " (nobody)" : "") + ", without any capability")
        }
        fields.add("reads", joined(texts("files", "system"), none: "not known") + "\n(of the system, read-only)")
        let (read, written, kept) = grants
        fields.add("and reads", read.joined(separator: "\n"))
        fields.add("and writes", written.joined(separator: "\n"))
        fields.add("but reads only", kept.joined(separator: "\n"))
        let own = document["files"]?["own"]?.arrayValue ?? []
        fields.add("of its own", own.map(ownFolder).joined(separator: "\n"))
        fields.add("network", network)
        fields.add("Unix sockets", unixSockets)
        fields.add("terminal", document["terminal"]?.boolValue == true ? "a pseudo-terminal of its own" : "none")
        fields.add("environment", joined(texts("environment"), none: "empty"))
        fields.add("not set", texts("environment_unset").joined(separator: ", "))
        return fields.text(style: style)
    }

    private func path(_ entry: JSONValue) -> String { entry["path"]?.stringValue ?? "?" }

    private func ownFolder(_ entry: JSONValue) -> String {
        guard entry["kind"]?.stringValue == "tmpfs" else { return "\(path(entry)): of its own processes only" }
        let bytes = UInt64(clamping: entry["bytes"]?.integerValue ?? 0)
        return "\(path(entry)): writable, \(Quantity.text(bytes: bytes)), in memory, gone with the job"
    }

    private var network: String {
        switch string("network") {
        case "none": "none: no interface but a dead one, no name service, no host"
        case "loopback": "loopback: 127.0.0.1 and ::1 among its own processes, nothing else"
        case "full": "full: everything this machine reaches, this machine's own loopback services included"
        default: "not known"
        }
    }

    private var unixSockets: String {
        guard document["unix_sockets"]?.boolValue == true else {
            return "pairs only: no socket of the host can be connected to, granted folder or not"
        }
        let reachesHost = document["files"]?["granted"]?.arrayValue?.isEmpty == false || string("network") == "full"
        return reachesHost
            ? "yes, also those of the host that lie in granted folders" : "yes, its own; it sees none of the host's"
    }

    private var limits: String {
        var table = Table(["  LIMIT", "VALUE", "COUNTED PER"])
        for entry in list("limits") {
            let name = entry["name"]?.stringValue ?? "?"
            let value = UInt64(clamping: entry["value"]?.integerValue ?? 0)
            table.add(["  " + name, Self.amount(name, value), entry["per"]?.stringValue ?? "?"])
        }
        return table.text(width: width, style: style)
    }

    private static func amount(_ name: String, _ value: UInt64) -> String {
        if name.hasSuffix("_bytes") { return Quantity.text(bytes: value) }
        if name.hasSuffix("_percent") { return "\(value) % of a processor" }
        if name.hasSuffix("_ms") { return Quantity.text(milliseconds: value) }
        if name.hasSuffix("_seconds") {
            return Quantity.text(milliseconds: value.multipliedReportingOverflow(by: 1000).0)
        }
        return String(value)
    }

    private var layers: String {
        var table = Table(["  LAYER", "STATE", "STOPS A JOB FROM"])
        for entry in list("layers") {
            let isRequired = entry["required"]?.boolValue == true
            let isInForce = entry["in_force"]?.boolValue == true
            let state = isInForce ? "in force" : isRequired ? "MISSING" : "when used"
            table.add(["  " + (entry["name"]?.stringValue ?? "?"), state, entry["stops"]?.stringValue ?? ""])
        }
        return table.text(width: nil, style: style)
    }

    private var offers: [String] {
        list("may_be_granted").map { entry in
            let permission = entry["permission"]?.stringValue ?? "?"
            if entry["given"]?.boolValue == true {
                return permission + ": given when asked for" + Self.condition(permission)
            }
            return refusal(entry)
        }
    }

    private static func condition(_ permission: String) -> String {
        permission.hasSuffix(":*") ? ", for paths that are yours and hold no secrets (name the path)" : ""
    }

    /// What no document can tell beforehand.
    private static let openQuestions = [
        "the command itself: the executor makes it from the task, and may only ask for less than is said here",
        "whether a granted path is still the same file when the job starts; if not, the job is refused",
        "whether the program is there: it is looked up inside the sandbox",
        "idmapped_grants: used as root, where a granted folder is not nobody's",
    ]

    private func section(_ title: String, _ lines: [String]) -> String {
        guard !lines.isEmpty else { return "" }
        return "\n" + style.bold(title) + "\n" + lines.map { "  \(Rendered.line($0))\n" }.joined()
    }

    // MARK: Reading

    private func string(_ name: String) -> String { document[name]?.stringValue ?? "" }
    private func list(_ name: String) -> [JSONValue] { document[name]?.arrayValue ?? [] }
    private func texts(_ name: String) -> [String] { list(name).compactMap(\.stringValue) }
    private func texts(_ outer: String, _ inner: String) -> [String] {
        (document[outer]?[inner]?.arrayValue ?? []).compactMap(\.stringValue)
    }

    /// In lines of about 90 columns.
    private func joined(_ words: [String], none: String) -> String {
        guard !words.isEmpty else { return none }
        var lines = [""]
        for word in words {
            if let last = lines.last, last.count + word.count > 90 { lines.append("") }
            lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
        }
        return lines.joined(separator: "\n")
    }
}
