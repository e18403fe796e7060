import DomeModel

extension Verb {
    /// `dome version`
    static let version = Verb(
        words: ["version"], summary: "print this program's version", examples: ["dome version"]
    ) { invocation throws(CommandFailure) in
        try invocation.print(json: ["version": .string(DomeVersion.text)], text: "dome \(DomeVersion.text)\n")
        return ExitStatus.success
    }
}
