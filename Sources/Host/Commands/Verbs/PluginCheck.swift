import DomeModel
import DomePlatform
import DomeValidator

extension Verb {
    /// `dome plugin check`
    static let pluginCheck = Verb(
        words: ["plugin", "check"], summary: "try a plugin out: whether it keeps every rule of the ABI",
        details: [
            "FOLDER holds plugin.json and the library. Each test runs the plugin in a process of its own, which it may "
                + "crash or hang: that is a result. The plugin is called for real, with payloads made from its schemas, "
                + "or those of \"x-check\" in plugin.json: {\"actions\": {NAME: [PAYLOAD]}, \"jobs\": [{\"task\": …, "
                + "\"entrypoint\": …}], \"config\": {…}}. It runs in the sandbox, with the permissions of its plugin.json.",
            "Exits with 0 if no test failed, with 1 if one did.",
        ],
        positionals: [PositionalSpec("FOLDER", help: "the plugin's folder, e.g. .", completion: .files)],
        options: [
            OptionSpec("--seed", value: "N", help: "repeat the random payloads of an earlier run, which printed it"),
            OptionSpec("--count", value: "N", help: "how many random payloads; 500 by default"),
            OptionSpec(
                "--test", value: "NAME", help: "only this test; may be given more than once", isRepeatable: true),
            OptionSpec("--timeout", value: "DURATION", help: "how long one call may take; 5s by default"),
            OptionSpec("--unconfined", help: "not in the sandbox but with your rights, e.g. under a debugger"),
            OptionSpec("--list", help: "list the tests and what each is about; FOLDER is not looked at"),
            OptionSpec("--json", help: "the same as --output json"),
        ],
        examples: ["dome plugin check .", "dome plugin check . --test fuzzed-payloads --seed 7 --count 100000"]
    ) { invocation throws(CommandFailure) in
        let isJSON = invocation.isJSON || invocation.has("--json")
        guard !invocation.has("--list") else { return try list(isJSON, invocation.style) }
        let (programs, options) = (
            try local { () throws(DomeError) in try Directories.ofExecutable() }, try checkOptions(invocation)
        )
        let validator = try local { () throws(DomeError) in
            try Validator(folder: invocation.argument(0), programs: programs, options: options)
        }
        let style = invocation.style
        let report = validator.run { finding in
            // What was asked for by name is told in any case.
            guard !isJSON, finding.missing == nil, !finding.isOfAnotherKind || !options.only.isEmpty else { return }
            try? Output.stdout.write(line(finding, style))
            try? Output.stdout.flush()
        }
        if isJSON {
            try Output.stdout.write(report.json.indented)
        } else {
            try Output.stdout.write(summary(report, style))
        }
        return report.isGood ? ExitStatus.success : ExitStatus.failure
    }

    private static func checkOptions(_ invocation: Invocation) throws(CommandFailure) -> Validator.Options {
        func number(_ name: String) throws(CommandFailure) -> UInt64? {
            guard let text = invocation.value(name) else { return nil }
            guard let number = UInt64(text) else { throw .usage("\(name) must be a whole number, not '\(text)'") }
            return number
        }
        var options = Validator.Options(seed: try number("--seed") ?? UInt64(Clock.wallNanoseconds()) & 0xffff_ffff)
        if let count = try number("--count") {
            guard (1...10_000_000).contains(count) else { throw .usage("--count must be 1 to 10000000") }
            options.fuzzCount = Int(count)
        }
        if let text = invocation.value("--timeout") {
            guard let milliseconds = Quantity.milliseconds(text), (1...3_600_000).contains(milliseconds) else {
                throw .usage("--timeout must be a duration up to 1h, e.g. 30s, not '\(text)'")
            }
            options.stepMilliseconds = Int64(milliseconds)
        }
        options.isConfined = !invocation.has("--unconfined")
        options.only = invocation.values("--test")
        return options
    }

    private static func list(_ isJSON: Bool, _ style: Style) throws(CommandFailure) -> Int32 {
        if isJSON {
            let tests: [JSONValue] = Validator.trials.map { trial in
                [
                    "name": .string(trial.name), "rule": .string(trial.rule),
                    "kind": trial.kindName.map { .string($0) } ?? .null,
                ]
            }
            try Output.stdout.write(JSONValue.array(tests).indented)
        } else {
            var table = Table(["TEST", "OF", "RULE"])
            for trial in Validator.trials { table.add([trial.name, trial.kindName ?? "both", trial.rule]) }
            try Output.stdout.write(table.text(width: Output.stdout.width, style: style))
        }
        return ExitStatus.success
    }

    private static func line(_ finding: Finding, _ style: Style) -> String {
        let mark =
            switch finding.verdict {
            case .passed: style.green("PASS")
            case .failed: style.red("FAIL")
            case .skipped: style.yellow("SKIP")
            }
        let padding = String(repeating: " ", count: max(1, 32 - finding.name.count))
        return "\(mark)  \(finding.name)\(padding)\(Rendered.line(finding.reason))\n"
    }

    private static func summary(_ report: Report, _ style: Style) -> String {
        let plugin = report.plugin.map { "\($0) \(report.version ?? "")" } ?? report.folder
        let others = report.findings.count { $0.isOfAnotherKind && $0.missing == nil }
        let counts =
            "\(report.count(.passed)) passed, \(report.count(.failed)) failed, \(report.count(.skipped) - others) skipped"
            + (others > 0 ? ", \(others) for another kind of plugin" : "")
        let missing = report.findings.compactMap(\.missing)
        let untried = missing.first.map { "\(missing.count) tests were not tried: they need \($0) to pass\n" } ?? ""
        let verdict = report.isGood ? style.green("good") : style.red("not good")
        return "\(untried)\n\(Rendered.line(plugin)): \(verdict): \(counts); --seed \(report.seed)\n"
    }
}
