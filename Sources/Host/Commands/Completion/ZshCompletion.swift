/// A function for zsh's completion system.
struct ZshCompletion {
    let verbs: [Verb]

    var script: String {
        """
        #compdef dome
        # zsh completion of dome; made by `dome completions zsh`.
        _dome_tools() { local -a words; words=(${(f)"$(dome __complete tools 2>/dev/null)"}); compadd -a words }
        _dome_jobs() { local -a words; words=(${(f)"$(dome __complete jobs 2>/dev/null)"}); compadd -a words }
        _dome_plugins() { local -a words; words=(${(f)"$(dome __complete plugins 2>/dev/null)"}); compadd -a words }
        _dome() {
            local -a commands
            commands=(
        \(firstWords)
            )
            if (( CURRENT == 2 )); then _describe 'command' commands; return; fi
            local first=$words[2]
            local second=$words[3]
            case $first in
        \(cases)
            esac
        }
        _dome "$@"

        """
    }

    private var groups: [(first: String, verbs: [Verb])] {
        var groups: [(first: String, verbs: [Verb])] = []
        for verb in verbs {
            if let index = groups.firstIndex(where: { $0.first == verb.words[0] }) {
                groups[index].verbs.append(verb)
            } else {
                groups.append((verb.words[0], [verb]))
            }
        }
        return groups
    }

    private var firstWords: String {
        groups.map { group in
            let summary =
                group.verbs.count == 1 ? group.verbs[0].summary : group.verbs.map(\.name).joined(separator: ", ")
            return "        '\(group.first):\(Self.quoted(summary))'"
        }.joined(separator: "\n")
    }

    private var cases: String {
        groups.map { group in
            if group.verbs.allSatisfy({ $0.words.count == 1 }), let verb = group.verbs.first {
                return "    \(group.first)) shift words; (( CURRENT-- )); _arguments -s \(arguments(verb)) ;;"
            }
            // A verb of its own ("audit") that others go on from ("audit verify").
            let alone = group.verbs.first { $0.words.count == 1 }
            let longer = group.verbs.filter { $0.words.count > 1 }
            let seconds = longer.map { "'\($0.words[1]):\(Self.quoted($0.summary))'" }.joined(separator: " ")
            let inner =
                longer.map { verb in
                    "        \(verb.words[1])) shift 2 words; (( CURRENT -= 2 )); _arguments -s \(arguments(verb)) ;;"
                }.joined(separator: "\n")
                + (alone.map { "\n        *) shift words; (( CURRENT-- )); _arguments -s \(arguments($0)) ;;" } ?? "")
            return """
                    \(group.first))
                        if (( CURRENT == 3 )) && [[ $words[CURRENT] != -* ]]; then local -a subs; subs=(\(seconds)); _describe 'command' subs; return; fi
                        case $second in
                \(inner)
                        esac ;;
                """
        }.joined(separator: "\n")
    }

    private func arguments(_ verb: Verb) -> String {
        var parts: [String] = []
        for option in verb.allOptions {
            let action = option.value.map { ":\(Self.quoted($0)):\(Self.action(option.completion))" } ?? ""
            let repeats = option.isRepeatable ? "*" : ""
            for name in [option.name, option.short].compactMap({ $0 }) {
                parts.append("'\(repeats)\(name)[\(Self.quoted(option.help))]\(action)'")
            }
        }
        for positional in verb.positionals {
            parts.append("':\(positional.name):\(Self.action(positional.completion))'")
        }
        if verb.rest != nil { parts.append("'*:argument:_files'") }
        return parts.joined(separator: " ")
    }

    private static func action(_ completion: Completion) -> String {
        switch completion {
        case .none: " "
        case .files: "_files"
        case .tools: "_dome_tools"
        case .jobs: "_dome_jobs"
        case .plugins: "_dome_plugins"
        case .words(let words), .suggestions(let words): "(\(quoted(words.joined(separator: " "))))"
        }
    }

    /// Within single quotes, and within the brackets and colons of _arguments.
    private static func quoted(_ text: String) -> String {
        var output = ""
        for character in text {
            switch character {
            case "'": output += "'\\''"
            case "[", "]", ":", "\\": output += "\\" + String(character)
            default: output.append(character)
            }
        }
        return output
    }
}
