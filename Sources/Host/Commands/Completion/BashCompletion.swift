/// A script for bash 4 and later; needs nothing of bash-completion.
struct BashCompletion {
    let verbs: [Verb]

    var script: String {
        """
        # bash completion of dome; made by `dome completions bash`.
        _dome() {
            local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]} verb='' word i
            COMPREPLY=()
            for ((i = 1; i < COMP_CWORD; i++)); do
                word=${COMP_WORDS[i]}
                [[ $word == -- ]] && { compopt -o default; return; }
                [[ $word == -* ]] && continue
                case "$verb $word" in
        \(verbPatterns)
                esac
            done
            case "$verb $previous" in
        \(valueCases)
            esac
            if [[ $current == -* ]]; then
                case $verb in
        \(optionCases)
                *) COMPREPLY=($(compgen -W '\(Self.names(OptionSpec.global))' -- "$current")) ;;
                esac
                return
            fi
            case $verb in
            '') COMPREPLY=($(compgen -W '\(firstWords)' -- "$current")) ;;
        \(groupCases)
        \(positionalCases)
            esac
        }
        complete -F _dome dome

        """
    }

    private var firstWords: String {
        var words: [String] = []
        for verb in verbs where !words.contains(verb.words[0]) { words.append(verb.words[0]) }
        return words.joined(separator: " ")
    }

    /// Recognizes a verb word by word.
    private var verbPatterns: String {
        var lines: [String] = []
        for verb in verbs {
            for count in 1...verb.words.count {
                let name = verb.words.prefix(count).joined(separator: " ")
                let before = verb.words.prefix(count - 1).joined(separator: " ")
                let line = "        '\(before) \(verb.words[count - 1])') verb='\(name)' ;;"
                if !lines.contains(line) { lines.append(line) }
            }
        }
        return lines.joined(separator: "\n")
    }

    private var groupCases: String {
        var seconds: [String: [String]] = [:]
        var order: [String] = []
        for verb in verbs where verb.words.count > 1 {
            if seconds[verb.words[0]] == nil { order.append(verb.words[0]) }
            seconds[verb.words[0], default: []].append(verb.words[1])
        }
        return order.map { first in
            "    \(first)) COMPREPLY=($(compgen -W '\((seconds[first] ?? []).joined(separator: " "))' -- \"$current\")) ;;"
        }.joined(separator: "\n")
    }

    private var optionCases: String {
        verbs.filter { !$0.options.isEmpty }.map { verb in
            "        '\(verb.name)') COMPREPLY=($(compgen -W '\(Self.names(verb.allOptions))' -- \"$current\")) ;;"
        }.joined(separator: "\n")
    }

    private var valueCases: String {
        var lines: [String] = []
        for verb in verbs {
            for option in verb.options where option.value != nil {
                let patterns = [option.name, option.short].compactMap { $0 }.map { "'\(verb.name) \($0)'" }
                lines.append("    \(patterns.joined(separator: "|"))) \(Self.reply(option.completion)); return ;;")
            }
        }
        for option in OptionSpec.global where option.value != nil {
            let patterns = [option.name, option.short].compactMap { $0 }.map { "*' \($0)'" }
            lines.append("    \(patterns.joined(separator: "|"))) \(Self.reply(option.completion)); return ;;")
        }
        return lines.joined(separator: "\n")
    }

    private var positionalCases: String {
        verbs.compactMap { verb in
            guard let first = verb.positionals.first, first.completion != .none else { return nil }
            return "    '\(verb.name)') \(Self.reply(first.completion)) ;;"
        }.joined(separator: "\n")
    }

    private static func names(_ options: [OptionSpec]) -> String { options.map(\.name).joined(separator: " ") }

    private static func reply(_ completion: Completion) -> String {
        switch completion {
        case .none: ":"
        case .files: "compopt -o default"
        case .tools: "COMPREPLY=($(compgen -W \"$(dome __complete tools 2>/dev/null)\" -- \"$current\"))"
        case .jobs: "COMPREPLY=($(compgen -W \"$(dome __complete jobs 2>/dev/null)\" -- \"$current\"))"
        case .plugins: "COMPREPLY=($(compgen -W \"$(dome __complete plugins 2>/dev/null)\" -- \"$current\"))"
        case .words(let words), .suggestions(let words):
            "COMPREPLY=($(compgen -W '\(words.joined(separator: " "))' -- \"$current\"))"
        }
    }
}
