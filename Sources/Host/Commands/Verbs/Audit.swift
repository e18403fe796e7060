import DomeClient
import DomeModel

extension Verb {
    /// `dome audit`
    static let audit = Verb(
        words: ["audit"], summary: "list what happened: who asked for what, what became of it, what was refused",
        details: [
            "Without -n, --all or a cursor: the newest 50 events, the oldest of them first. All filters must hold. With -f "
                + "it goes on with events to come, across restarts of the daemon.",
            "Every event is a leaf of a Merkle tree: 'dome audit verify' computes it anew, 'dome audit prove' proves one.",
        ],
        options: OptionSpec.auditFilters + [
            OptionSpec("--limit", short: "-n", value: "N", help: "the newest N; with a cursor the next N"),
            OptionSpec("--all", short: "-a", help: "all of them"),
            OptionSpec("--reverse", help: "newest first"),
            OptionSpec("--follow", short: "-f", help: "go on with what is to come"), AuditPrinter.option,
        ],
        examples: [
            "dome audit --outcome failed --since -1h", "dome audit --tool shell.run --actor root -n 5 --reverse",
            "dome audit -f -o json",
        ]
    ) { invocation async throws(CommandFailure) in
        var filter = try invocation.auditFilter()
        let source = AuditSource(client: try invocation.client(), pattern: try invocation.grepPattern())
        var printer = try AuditPrinter(invocation)
        let given = try invocation.count("--limit")
        let isFollowing = invocation.has("--follow")
        let hasStart = !filter.afterCursor.isEmpty
        let limit = given ?? (invocation.has("--all") || hasStart ? Int.max : 50)
        guard !invocation.has("--reverse") else {
            guard !isFollowing else { throw .usage("--reverse and --follow exclude each other") }
            filter.isNewestFirst = true
            try await source.each(filter, limit: limit) { events throws(CommandFailure) in try printer.print(events) }
            return ExitStatus.success
        }
        try printer.print([])
        if limit == Int.max || hasStart {
            let last = try await source.each(filter, limit: limit) { events throws(CommandFailure) in
                try printer.print(events)
            }
            filter.afterCursor = last ?? filter.afterCursor
        } else {
            filter.isNewestFirst = true
            var newest: [AuditEvent] = []
            try await source.each(filter, limit: limit) { events in newest += events }
            filter.isNewestFirst = false
            try printer.print(newest.reversed())
            filter.afterCursor = newest.first?.cursor ?? filter.afterCursor
        }
        guard isFollowing else { return ExitStatus.success }
        try Output.stdout.flush()
        try await source.follow(filter) { events throws(CommandFailure) in try printer.print(events) }
        return ExitStatus.success
    }

    /// `dome audit export`
    static let auditExport = Verb(
        words: ["audit", "export"], summary: "write all events that fit, as JSON lines or CSV",
        options: OptionSpec.auditFilters + [
            OptionSpec(
                "--output", short: "-o", value: "FORMAT", help: "json (default, a line an event) or csv",
                completion: .words(["json", "csv"]))
        ],
        examples: ["dome audit export --since 2026-01-01 >audit.jsonl", "dome audit export -o csv --payload"]
    ) { invocation async throws(CommandFailure) in
        let source = AuditSource(client: try invocation.client(), pattern: try invocation.grepPattern())
        var printer = try AuditPrinter(invocation, usual: .json)
        try printer.print([])
        try await source.each(try invocation.auditFilter(), limit: .max) { events throws(CommandFailure) in
            try printer.print(events)
        }
        return ExitStatus.success
    }

    /// `dome audit summary`
    static let auditSummary = Verb(
        words: ["audit", "summary"], summary: "count events by tool, actor, outcome, kind or day",
        options: [
            OptionSpec(
                "--by", value: "WHAT", help: "tool (default), actor, outcome, kind or day",
                completion: .words(["tool", "actor", "outcome", "kind", "day"])),
            OptionSpec("--since", value: "TIME", help: "at or after, as for 'dome audit'"),
            OptionSpec("--until", value: "TIME", help: "before, likewise"),
        ],
        examples: ["dome audit summary --by outcome --since -1d"]
    ) { invocation async throws(CommandFailure) in
        let word = invocation.value("--by") ?? "tool"
        let (since, until) = (try invocation.moment("--since"), try invocation.moment("--until"))
        let client = try invocation.client()
        let counts = try await calling { () async throws(ClientError) in
            try await client.auditSummary(by: word, since: since, until: until)
        }
        var table = Table([word.uppercased(), "EVENTS"])
        for one in counts { table.add([one.key, String(one.count)]) }
        try invocation.print(
            json: .array(counts.map { ["key": .string($0.key), "count": .count($0.count)] }),
            text: table.text(width: Output.stdout.width, style: invocation.style))
        return ExitStatus.success
    }
}
