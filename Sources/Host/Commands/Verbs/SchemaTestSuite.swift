import DomeModel
import DomeSchema

extension Verb {
    /// `dome schema test-suite`
    static let schemaTestSuite = Verb(
        words: ["schema", "test-suite"], summary: "run a suite of JSON Schema test cases",
        details: [
            "FOLDER has the layout of JSON-Schema-Test-Suite: tests/draft2020-12, tests/draft2019-09 and tests/draft7 with "
                + "the cases, remotes with the documents that they refer to as http://localhost:1234/…. In "
                + "optional/format, \"format\" constrains, in optional/content.json the content keywords do. Each file is a line: cases passed, cases failed; then those that failed.",
            "Exits with 0 if all passed, with 1 if not.",
        ],
        positionals: [PositionalSpec("FOLDER", help: "the suite's folder", completion: .files)],
        examples: ["dome schema test-suite Tests/Schema"]
    ) { invocation throws(CommandFailure) in
        let suite = try local { () throws(DomeError) in try SchemaSuite(invocation.argument(0)) }
        let style = invocation.style
        var results: [SchemaSuite.FileResult] = []
        try suite.run { result throws(CommandFailure) in
            results.append(result)
            if !invocation.isJSON { try Output.stdout.write(lines(result, style)) }
        }
        let passed = results.reduce(0) { $0 + $1.passed }
        let failed = results.reduce(0) { $0 + $1.failures.count }
        if invocation.isJSON {
            let files: [JSONValue] = results.map { result in
                [
                    "file": .string(result.name), "passed": .integer(Int64(result.passed)),
                    "failed": .integer(Int64(result.failures.count)),
                    "failures": .array(result.failures.map { .string($0) }),
                ]
            }
            let report: JSONValue = [
                "passed": .integer(Int64(passed)), "failed": .integer(Int64(failed)), "files": .array(files),
            ]
            try Output.stdout.write(report.indented)
        } else {
            try Output.stdout.write("\(passed) passed, \(failed) failed\n")
        }
        return failed == 0 && passed > 0 ? ExitStatus.success : ExitStatus.failure
    }

    private static func lines(_ result: SchemaSuite.FileResult, _ style: Style) -> String {
        let mark = result.failures.isEmpty ? style.green("PASS") : style.red("FAIL")
        var text = "\(mark)  \(Rendered.line(result.name)): \(result.passed) passed, \(result.failures.count) failed\n"
        for failure in result.failures { text += "      \(Rendered.line(failure))\n" }
        return text
    }
}
