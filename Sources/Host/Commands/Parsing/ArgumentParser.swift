import DomeModel

/// Reads a command line: `dome [OPTION]… VERB [ARGUMENT|OPTION]… [-- REST…]`. Options may stand anywhere after the
/// program's name; `--name=value` and `--name value` mean the same, as do `-ofoo` and `-o foo`.
struct ArgumentParser {
    let verbs: [Verb]

    func parse(_ arguments: [String]) throws(CommandFailure) -> Invocation {
        var words = arguments[...]
        var early: [String: [String]] = [:]
        while let word = words.first, word.hasPrefix("-"), word != "-", word != "--" {
            if word == "--version" { return try parse(["version"]) }
            try takeOption(&words, from: OptionSpec.global, verb: nil, into: &early)
        }
        guard let verb = takeVerb(&words) else {
            if words.isEmpty || early["--help"] != nil { return try helpInvocation(nil) }
            throw unknownVerb(words)
        }
        var invocation = Invocation(verb: verb, options: early)
        try takeRest(&words, into: &invocation)
        if invocation.has("--help"), verb.words != ["help"] { return try helpInvocation(verb) }
        try check(invocation)
        return invocation
    }

    private func helpInvocation(_ verb: Verb?) throws(CommandFailure) -> Invocation {
        guard let help = verbs.first(where: { $0.words == ["help"] }) else {
            throw CommandFailure("no help", status: ExitStatus.internalFault)
        }
        return Invocation(verb: help, positionals: verb?.words ?? [])
    }

    /// The verb with the most words that fits.
    private func takeVerb(_ words: inout ArraySlice<String>) -> Verb? {
        let fitting = verbs.filter { words.starts(with: $0.words) }.max { $0.words.count < $1.words.count }
        if let fitting { words.removeFirst(fitting.words.count) }
        return fitting
    }

    private func unknownVerb(_ words: ArraySlice<String>) -> CommandFailure {
        let word = words.first ?? ""
        let group = verbs.filter { $0.words.count > 1 && $0.words.first == word }
        if !group.isEmpty {
            return .usage(
                "'dome \(word)' needs one more word: " + group.map { "dome " + $0.name }.joined(separator: ", "))
        }
        let near = verbs.filter { !$0.isHidden }.min { $0.name.distance(to: word) < $1.name.distance(to: word) }
        let hint = near.flatMap { $0.name.distance(to: word) <= 2 ? "; did you mean '\($0.name)'?" : nil } ?? ""
        return .usage("there is no command '\(word)'\(hint) See 'dome help'.")
    }

    private func takeRest(_ words: inout ArraySlice<String>, into invocation: inout Invocation) throws(CommandFailure) {
        let verb = invocation.verb
        while let word = words.first {
            if word == "--" {
                words.removeFirst()
                guard verb.rest != nil else { throw .usage("'dome \(verb.name)' takes nothing after --") }
                invocation.rest = Array(words)
                return
            }
            if word.hasPrefix("-"), word != "-" {
                try takeOption(&words, from: verb.allOptions, verb: verb, into: &invocation.options)
            } else {
                invocation.positionals.append(word)
                words.removeFirst()
            }
        }
    }

    private func takeOption(
        _ words: inout ArraySlice<String>, from specs: [OptionSpec], verb: Verb?, into options: inout [String: [String]]
    ) throws(CommandFailure) {
        let word = words.removeFirst()
        let (name, attached) = Self.split(word)
        guard let spec = specs.first(where: { $0.name == name || $0.short == name }) else {
            throw unknownOption(name, specs, verb)
        }
        var value = ""
        if let placeholder = spec.value {
            guard let given = attached ?? words.popFirst() else {
                throw .usage("\(spec.name) needs a value: \(spec.name) \(placeholder)")
            }
            value = given
            if case .words(let known) = spec.completion, !known.contains(value) {
                throw .usage("\(spec.name) must be \(known.joined(separator: " or ")), not '\(value)'")
            }
        } else if attached != nil {
            throw .usage("\(spec.name) takes no value")
        }
        guard spec.isRepeatable || options[spec.name] == nil || spec.value == nil else {
            throw .usage("\(spec.name) is given twice")
        }
        options[spec.name, default: []].append(value)
    }

    /// `--name=value` and `-nvalue` in two.
    private static func split(_ word: String) -> (name: String, attached: String?) {
        if word.hasPrefix("--") {
            guard let equals = word.firstIndex(of: "=") else { return (word, nil) }
            return (String(word[..<equals]), String(word[word.index(after: equals)...]))
        }
        guard word.count > 2 else { return (word, nil) }
        let rest = word.dropFirst(2)
        return (String(word.prefix(2)), String(rest.hasPrefix("=") ? rest.dropFirst() : rest))
    }

    private func unknownOption(_ name: String, _ specs: [OptionSpec], _ verb: Verb?) -> CommandFailure {
        let near = specs.min { $0.name.distance(to: name) < $1.name.distance(to: name) }
        let hint = near.flatMap { $0.name.distance(to: name) <= 2 ? "; did you mean \($0.name)?" : nil } ?? ""
        let place = verb.map { " of 'dome \($0.name)'" } ?? ""
        let help = verb.map { "dome help \($0.name)" } ?? "dome help"
        return .usage("there is no option \(name)\(place)\(hint) See '\(help)'.")
    }

    private func check(_ invocation: Invocation) throws(CommandFailure) {
        let verb = invocation.verb
        let needed = verb.positionals.count { !$0.isOptional }
        guard invocation.positionals.count >= needed else {
            let missing = verb.positionals[invocation.positionals.count]
            throw .usage("'dome \(verb.name)' needs \(missing.name): \(missing.help). Usage: \(verb.synopsis)")
        }
        let takesMore = verb.positionals.last?.isRepeatable ?? false
        guard invocation.positionals.count <= verb.positionals.count || takesMore else {
            let extra = invocation.positionals[verb.positionals.count]
            let hint = verb.rest != nil ? "; put the command after --" : ""
            throw .usage("'\(extra)' is one argument too many\(hint). Usage: \(verb.synopsis)")
        }
    }
}
