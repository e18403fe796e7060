/// A list of `complete` commands for fish.
struct FishCompletion {
    let verbs: [Verb]

    var script: String {
        var lines = ["# fish completion of dome; made by `dome completions fish`.", "complete -c dome -f"]
        var firsts: [String] = []
        for verb in verbs where !firsts.contains(verb.words[0]) { firsts.append(verb.words[0]) }
        let none = "not __fish_seen_subcommand_from \(firsts.joined(separator: " "))"
        for first in firsts {
            let verb = verbs.first { $0.words[0] == first }
            lines.append("complete -c dome -n '\(none)' -a \(first) -d '\(Self.quoted(verb?.summary ?? ""))'")
        }
        for verb in verbs { lines += self.lines(verb) }
        for option in OptionSpec.global { lines.append("complete -c dome \(Self.option(option))") }
        return lines.joined(separator: "\n") + "\n"
    }

    private func lines(_ verb: Verb) -> [String] {
        var lines: [String] = []
        if verb.words.count > 1 {
            let condition = "__fish_seen_subcommand_from \(verb.words[0])"
            lines.append("complete -c dome -n '\(condition)' -a \(verb.words[1]) -d '\(Self.quoted(verb.summary))'")
        }
        let condition = verb.words.map { "__fish_seen_subcommand_from \($0)" }.joined(separator: "; and ")
        for option in verb.options { lines.append("complete -c dome -n '\(condition)' \(Self.option(option))") }
        if let words = verb.positionals.first.flatMap({ Self.words($0.completion) }) {
            lines.append("complete -c dome -n '\(condition)' -a '\(words)'")
        }
        return lines
    }

    private static func option(_ option: OptionSpec) -> String {
        var text = "-l \(option.name.dropFirst(2))"
        if let short = option.short { text += " -s \(short.dropFirst())" }
        text += " -d '\(quoted(option.help))'"
        guard option.value != nil else { return text }
        if option.completion == .files { return text + " -r -F" }
        return text + " -x" + (words(option.completion).map { " -a '\($0)'" } ?? "")
    }

    private static func words(_ completion: Completion) -> String? {
        switch completion {
        case .none, .files: nil
        case .tools: "(dome __complete tools 2>/dev/null)"
        case .jobs: "(dome __complete jobs 2>/dev/null)"
        case .plugins: "(dome __complete plugins 2>/dev/null)"
        case .words(let words), .suggestions(let words): words.joined(separator: " ")
        }
    }

    private static func quoted(_ text: String) -> String {
        text.replacing("\\", with: "\\\\").replacing("'", with: "\\'")
    }
}
