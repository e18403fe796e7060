import DomeModel

extension Verb {
    /// `dome doctor`
    static let doctor = Verb(
        words: ["doctor"], summary: "check that everything dome needs is there and in order",
        details: [
            "Tries the whole sandbox, has domed check its database, settings and plugins, and looks at whatever else a "
                + "job needs; what is wrong comes with the remedy. Starts no daemon, and works without one.",
            "Exits with 0 if jobs can run, with 1 if a check failed.",
        ],
        examples: ["dome doctor", "dome doctor -o json"]
    ) { invocation async throws(CommandFailure) in
        var examination = Examination()
        examination.examineHost()
        examination.examineSandbox()
        examination.examineInstallation()
        examination.examineSettings()
        examination.examineDaemonsOwn()
        var quiet = invocation
        quiet.options["--no-start"] = [""]
        await examination.examineDaemon(quiet)
        try invocation.print(json: examination.json, text: examination.text(invocation.style))
        return examination.hasFailed ? ExitStatus.failure : ExitStatus.success
    }
}
