import DomeClient
import DomeModel

/// Events as lines: a table for people, JSON lines or CSV for programs.
struct AuditPrinter {
    enum Form: String { case text, json, csv }

    let form: Form
    let style: Style
    private var hasHeader = false

    init(_ invocation: Invocation, usual: Form = .text) throws(CommandFailure) {
        let word = invocation.value("--output")
        guard let form = word.map({ Form(rawValue: $0 == "table" ? "text" : $0) }) ?? usual else {
            throw .usage("--output must be table, json or csv, not '\(word ?? "")'")
        }
        self.form = form
        style = invocation.style
    }

    static let option = OptionSpec(
        "--output", short: "-o", value: "FORMAT", help: "how to print: table (default), json (a line an event) or csv",
        completion: .words(["table", "text", "json", "csv"]))

    mutating func print(_ events: [AuditEvent]) throws(CommandFailure) {
        if !hasHeader {
            hasHeader = true
            switch form {
            case .text: try Output.stdout.write(style.bold(Self.line(Self.titles)) + "\n")
            case .csv: try Output.stdout.write(Self.csvTitles.joined(separator: ",") + "\r\n")
            case .json: break
            }
        }
        for event in events {
            switch form {
            case .text: try Output.stdout.write(Self.line(event.cells) + "\n")
            case .csv: try Output.stdout.write(event.csvCells.map(Self.quoted).joined(separator: ",") + "\r\n")
            case .json: try Output.stdout.write(event.json.compact + "\n")
            }
        }
    }

    private static let titles = ["EVENT", "TIME", "KIND", "OUTCOME", "ACTOR", "TOOL", "JOB OR DETAILS"]
    // Fixed: a stream's widths are not known before its end.
    private static let widths = [8, 27, 12, 10, 6, 16]
    static let csvTitles = [
        "seq", "ts", "kind", "outcome", "actor_uid", "tool_id", "job_id", "cursor", "leaf_hash", "leaf_json", "payload",
    ]

    private static func line(_ cells: [String]) -> String {
        var line = ""
        for (index, cell) in cells.enumerated() {
            let text = Rendered.line(cell)
            line += text
            guard index < widths.count else { continue }
            line += String(repeating: " ", count: max(0, widths[index] - Rendered.width(text)) + 1)
        }
        guard let width = Output.stdout.width else { return line }
        return Rendered.cut(line, to: width)
    }

    /// RFC 4180.
    private static func quoted(_ text: String) -> String {
        let needsQuotes = text.unicodeScalars.contains { [",", "\"", "\r", "\n"].contains($0) }
        return needsQuotes ? "\"" + text.replacing("\"", with: "\"\"") + "\"" : text
    }
}

extension AuditEvent {
    /// What the contract calls its fields.
    var json: JSONValue {
        var object: JSONObject = [
            "seq": .count(seq), "cursor": .string(cursor), "ts": .string(time), "kind": .string(kind),
            "outcome": .optional(outcome), "actor_uid": .integer(Int64(actorUserID)), "tool_id": .optional(toolID),
            "job_id": .optional(jobID), "leaf_json": .string(leafJSON), "leaf_hash": .string(leafHash),
        ]
        if let payload { object["payload"] = .string(payload) }
        return .object(object)
    }

    fileprivate var cells: [String] {
        [
            String(seq), time, kind, outcome.isEmpty ? "-" : outcome, String(actorUserID),
            toolID.isEmpty ? "-" : toolID,
            // Of a job's begin and end, its record tells more.
            ["intent", "outcome"].contains(kind) && !jobID.isEmpty
                ? jobID : [jobID, details].filter { !$0.isEmpty }.joined(separator: " "),
        ]
    }

    fileprivate var csvCells: [String] {
        [
            String(seq), time, kind, outcome, String(actorUserID), toolID, jobID, cursor, leafHash, leafJSON,
            payload ?? "",
        ]
    }

    private var details: String { JSONValue.embedded(leafJSON)["details"]?.compact ?? "" }
}
