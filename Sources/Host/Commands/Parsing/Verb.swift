import DomeAsync

/// What a shell may offer for a value.
enum Completion: Sendable, Equatable {
    case none
    case tools
    case jobs
    case plugins
    case files
    /// Nothing else is accepted.
    case words([String])
    /// Some that are likely.
    case suggestions([String])
}

/// An option of a verb.
struct OptionSpec: Sendable {
    /// The long form, with its dashes; the key under which its values are found.
    var name: String
    /// The short form, e.g. "-f".
    var short: String?
    /// The value's placeholder; nil for a flag.
    var value: String?
    var help: String
    var isRepeatable = false
    var completion = Completion.none

    init(
        _ name: String, short: String? = nil, value: String? = nil, help: String, isRepeatable: Bool = false,
        completion: Completion = .none
    ) {
        self.name = name
        self.short = short
        self.value = value
        self.help = help
        self.isRepeatable = isRepeatable
        self.completion = completion
    }

    /// E.g. `-f, --follow` or `--task JSON`.
    var synopsis: String { (short.map { $0 + ", " } ?? "") + name + (value.map { " " + $0 } ?? "") }

    /// Of all verbs that are about a job to come.
    static let grant = OptionSpec(
        "--grant", short: "-g", value: "PERMISSION",
        help: "let the job have this: fs.read:PATH, fs.write:PATH, net.loopback, net.full, unix",
        isRepeatable: true,
        completion: .suggestions(["fs.read:", "fs.write:", "net.loopback", "net.full", "unix"]))

    /// Those that every verb takes.
    static let global: [OptionSpec] = [
        OptionSpec(
            "--output", short: "-o", value: "FORMAT", help: "how to print: text (default) or json",
            completion: .words(["text", "json"])),
        OptionSpec("--no-start", help: "do not start a daemon when there is none"),
        OptionSpec("--help", short: "-h", help: "explain the command"),
    ]
}

/// An argument of a verb without a name.
struct PositionalSpec: Sendable {
    var name: String
    var help: String
    var isOptional = false
    /// Any number of them; the last one only.
    var isRepeatable = false
    var completion = Completion.none

    init(
        _ name: String, help: String, isOptional: Bool = false, isRepeatable: Bool = false,
        completion: Completion = .none
    ) {
        self.name = name
        self.help = help
        self.isOptional = isOptional
        self.isRepeatable = isRepeatable
        self.completion = completion
    }
}

/// A command of the command line, with all that help and completion need to know.
struct Verb: Sendable {
    /// E.g. `["tool", "show"]`.
    var words: [String]
    /// One line, lower case, no full stop.
    var summary: String
    /// Paragraphs of help.
    var details: [String] = []
    var positionals: [PositionalSpec] = []
    var options: [OptionSpec] = []
    /// The placeholder of what may follow `--`; nil if nothing may.
    var rest: String?
    var examples: [String] = []
    /// Not shown in help: for completion scripts.
    var isHidden = false
    var run: @Core @Sendable (Invocation) async throws(CommandFailure) -> Int32

    var name: String { words.joined(separator: " ") }

    /// Its own, and those of every verb that it does not have in a form of its own.
    var allOptions: [OptionSpec] {
        options + OptionSpec.global.filter { global in !options.contains { $0.name == global.name } }
    }

    /// E.g. `dome run TOOL [OPTION]… [-- ARGV…]`.
    var synopsis: String {
        var text = "dome " + name
        for positional in positionals {
            let name = positional.name + (positional.isRepeatable ? "…" : "")
            text += positional.isOptional ? " [\(name)]" : " " + name
        }
        if !options.isEmpty { text += " [OPTION]…" }
        if let rest { text += " [-- \(rest)]" }
        return text
    }
}

/// A verb with its arguments.
struct Invocation: Sendable {
    var verb: Verb
    var positionals: [String] = []
    /// By long name; a flag has the value "".
    var options: [String: [String]] = [:]
    /// What followed `--`.
    var rest: [String]?

    func has(_ option: String) -> Bool { options[option] != nil }
    func value(_ option: String) -> String? { options[option]?.last }
    func values(_ option: String) -> [String] { options[option] ?? [] }
    /// The positional of that index; the parser made sure that required ones are there.
    func argument(_ index: Int) -> String { index < positionals.count ? positionals[index] : "" }
    var isJSON: Bool { value("--output") == "json" }
    var mayStart: Bool { !has("--no-start") }
}
