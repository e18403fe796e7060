import DomeClient
import DomeModel

extension Verb {
    /// `dome tools`
    static let tools = Verb(
        words: ["tools"], summary: "list the tools that can be run",
        examples: ["dome tools", "dome tools -o json"]
    ) { invocation async throws(CommandFailure) in
        let client = try invocation.client()
        let tools = try await calling { () async throws(ClientError) in try await client.tools() }
        try invocation.print(
            json: .array(tools.map(\.json)),
            text: tools.isEmpty ? "no tools; 'dome doctor' says where they are looked for\n" : table(tools, invocation))
        return ExitStatus.success
    }

    /// `dome tools search`
    static let toolsSearch = Verb(
        words: ["tools", "search"], summary: "find tools by words, the best first",
        details: [
            "Looks in ids, titles, descriptions and names of parameters; plurals and the beginnings of words count, idle "
                + "words do not. Nothing found is exit status 66."
        ],
        positionals: [PositionalSpec("WORD", help: "what to look for", isRepeatable: true)],
        options: [OptionSpec("--limit", value: "N", help: "how many at most (20; 1 to 1000)")],
        examples: ["dome tools search read a web page", "dome tools search git --limit 3"]
    ) { invocation async throws(CommandFailure) in
        let words = invocation.positionals.joined(separator: " ")
        let limit: UInt32
        switch invocation.value("--limit").map({ UInt32($0) }) {
        case nil: limit = 20
        case .some(let number?) where (1...1_000).contains(number): limit = number
        default: throw CommandFailure("--limit must be a number from 1 to 1000", status: ExitStatus.usage)
        }
        let client = try invocation.client()
        let found = try await calling { () async throws(ClientError) in
            try await client.searchTools(words, limit: limit)
        }
        let more = found.total - found.tools.count
        try invocation.print(
            json: ["total": .integer(Int64(found.total)), "tools": .array(found.tools.map(\.json))],
            text: found.tools.isEmpty
                ? "no tool has these words; 'dome tools' lists all\n"
                : table(found.tools, invocation) + (more > 0 ? "and \(more) more; --limit shows them\n" : ""))
        return found.tools.isEmpty ? ExitStatus.notFound : ExitStatus.success
    }

    private static func table(_ tools: [ToolSummary], _ invocation: Invocation) -> String {
        var table = Table(["TOOL", "VERSION", "KIND", "DESCRIPTION"])
        for tool in tools { table.add([tool.toolID, tool.version, tool.kind, tool.line]) }
        return table.text(width: Output.stdout.width, style: invocation.style)
    }
}

extension ToolSummary {
    /// What it does, or what speaks against using it.
    fileprivate var line: String {
        if !unavailable.isEmpty { return "unavailable: it " + unavailable }
        return deprecated.isEmpty ? shortDescription : "deprecated: " + deprecated
    }
}
