import DomeClient
import DomeModel

extension Verb {
    /// `dome completions`
    static let completions = Verb(
        words: ["completions"], summary: "print the completion script of a shell",
        positionals: [
            PositionalSpec("SHELL", help: "bash, zsh or fish", completion: .words(["bash", "zsh", "fish"]))
        ],
        examples: [
            "dome completions bash > ~/.local/share/bash-completion/completions/dome",
            "dome completions zsh > ~/.zfunc/_dome", "dome completions fish > ~/.config/fish/completions/dome.fish",
        ]
    ) { invocation throws(CommandFailure) in
        let verbs = CommandLineTool.verbs.filter { !$0.isHidden }
        let script: String
        switch invocation.argument(0) {
        case "bash": script = BashCompletion(verbs: verbs).script
        case "zsh": script = ZshCompletion(verbs: verbs).script
        case "fish": script = FishCompletion(verbs: verbs).script
        default: throw .usage("'\(invocation.argument(0))' is none of bash, zsh, fish")
        }
        try Output.stdout.write(script)
        return ExitStatus.success
    }

    /// `dome __complete`: what the scripts ask for, a word a line. Starts no daemon and never complains: completion
    /// must not.
    static let complete = Verb(
        words: ["__complete"], summary: "words for completion scripts",
        positionals: [PositionalSpec("WHAT", help: "tools, jobs or plugins")], isHidden: true
    ) { invocation async throws(CommandFailure) in
        var quiet = invocation
        quiet.options["--no-start"] = [""]
        if invocation.argument(0) == "plugins" {
            for entry in (try? PluginShelf.here().entries()) ?? [] {
                try Output.stdout.write(Rendered.line(entry.id) + "\n")
            }
            return ExitStatus.success
        }
        let client = try quiet.client()
        let words: [String]?
        switch invocation.argument(0) {
        case "tools": words = try? await client.tools().map(\.toolID)
        case "jobs": words = try? await client.jobs(JobFilter(), pageSize: 50, pageToken: "").jobs.map(\.jobID)
        default: words = nil
        }
        for word in words ?? [] { try Output.stdout.write(Rendered.line(word) + "\n") }
        return ExitStatus.success
    }
}
