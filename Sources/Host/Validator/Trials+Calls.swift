internal import DomeCatalog
internal import DomeModel
internal import DomeSchema
internal import PluginABI

// execute and prepare with what they were made for.
extension Validator {
    static let callTrials: [Trial] = [
        Trial("calls-succeed", "every action answers a payload that fits, every job of the author's gets a plan") {
            bench throws(TrialEnd) in
            var notes: [String] = []
            var count = 0
            for example in try bench.examplesToCall() {
                let outcome = try stageToCall(bench).run(example)
                let what = name(of: example)
                if outcome.isOK {
                    count += 1
                    continue
                }
                let reason = "\(what) failed: \(outcome.statusName), \(outcome.explanationText)"
                // An executor drives the job then, or says so of a job that is not for it.
                let isDriven = bench.manifest?.kind == .executor && outcome.status == Int64(DOME_UNSUPPORTED)
                let mayFail =
                    isDriven
                    || [DOME_DENIED, DOME_NOT_FOUND, DOME_UNAVAILABLE].contains(Int32(clamping: outcome.status))
                try require(mayFail || isGuess(bench), reason)
                notes.append(reason)
            }
            if count == 0 {
                throw .skipped(
                    "\(notes.first ?? "nothing to call"); give plugin.json \"x-check\" examples that work everywhere")
            }
            return "\(count) answered" + (notes.isEmpty ? "" : ", \(notes.count) not, with a reason")
        },
        Trial("ok-means-an-answer", "a call that says DOME_OK has replied") { bench throws(TrialEnd) in
            for (example, outcome) in try answered(bench) {
                try require(!outcome.reply.isEmpty, "\(name(of: example)) said DOME_OK without a reply")
            }
            return "always"
        },
        Trial("answers-are-json", "the reply is one JSON text") { bench throws(TrialEnd) in
            for (example, outcome) in try answered(bench) { _ = try parse(outcome.reply, name(of: example)) }
            return "always"
        },
        Trial("answers-fit-their-schema", "the reply fits the action's output_schema", kind: .adapter) {
            bench throws(TrialEnd) in
            var count = 0
            for (example, outcome) in try answered(bench) {
                guard let schema = example.outputSchema else { continue }
                let compiled = try compile(schema, "output_schema of '\(example.action)'")
                let violations = compiled.validate(try parse(outcome.reply, name(of: example)))
                try require(
                    violations.isEmpty,
                    "the reply of '\(example.action)' does not fit: \(violations.first.map(\.description) ?? "")")
                count += 1
            }
            guard count > 0 else { throw .skipped("no action has an output_schema") }
            return "\(count)"
        },
        Trial("plans-are-launch-plans", "the reply is a launch plan", kind: .executor) { bench throws(TrialEnd) in
            for (example, outcome) in try answered(bench) {
                if let wrong = PlanShape.fault(try parse(outcome.reply, name(of: example))) { throw .failed(wrong) }
            }
            return "argv and the rest"
        },
        Trial("same-job-same-plan", "the same job gets the same plan", kind: .executor) { bench throws(TrialEnd) in
            for (example, outcome) in try answered(bench) {
                let stage = try stageToCall(bench)
                for _ in 0..<2 {
                    let again = try stage.run(example)
                    try require(again.reply == outcome.reply, "\(name(of: example)) gave two plans for one job")
                }
            }
            return "3 times each"
        },
        Trial("unknown-actions", "an action that is not declared is refused with DOME_INVALID", kind: .adapter) {
            bench throws(TrialEnd) in
            let stage = try stageToCall(bench)
            let known = try bench.actions().compactMap { $0["name"]?.stringValue }
            let first = known.first ?? ""
            let strangers: [[UInt8]] = [
                [], Array("no-such-action".utf8), Array((first + "x").utf8), Array(first.utf8.dropLast()),
                Array((first + "\0").utf8), [0xff, 0xfe], [UInt8](repeating: 0x61, count: 100_000),
            ]
            for action in strangers where !known.contains(String(decoding: action, as: UTF8.self)) {
                let outcome = try stage.run(action, Array("{}".utf8))
                try require(
                    outcome.status == Int64(DOME_INVALID),
                    "'\(String(decoding: action.prefix(40), as: UTF8.self))' came to \(outcome.statusName)")
            }
            return "DOME_INVALID"
        },
        Trial("failures-are-explained", "a call that fails says why, in one line of UTF-8") { bench throws(TrialEnd) in
            let stage = try stageToCall(bench)
            let action: [UInt8] = Array("no-such-action".utf8)
            let outcome = try stage.run(action, Array((stage.kind == .adapter ? "{}" : "{\"job_id\":7}").utf8))
            if outcome.isOK { throw .skipped("nothing that was tried fails") }
            try require(!outcome.explanation.isEmpty, "\(outcome.statusName) without a word: call explain before it")
            let text = String(validating: outcome.explanation, as: UTF8.self)
            try require(text != nil, "the explanation is not UTF-8")
            try require(text?.contains("\n") == false, "the explanation has several lines")
            return outcome.explanationText
        },
        Trial("refused-replies", "a call whose reply the host refuses does not say DOME_OK") { bench throws(TrialEnd) in
            let good = try answered(bench)
            let stage = try stageToCall(bench, Habits(refusesReplies: true))
            for (example, _) in good {
                let outcome = try stage.run(example)
                try require(!outcome.isOK, "\(name(of: example)) said DOME_OK though reply had said false")
            }
            return "all gave up"
        },
        Trial("health-answers", "health, where it is, answers {\"ok\": …} within a second", kind: .adapter) {
            bench throws(TrialEnd) in
            let outcome = try bench.stage(.instance).health()
            try require(outcome.isKnown, "health returned \(outcome.statusName)")
            try require(outcome.microseconds <= 1_000_000, "it took \(outcome.microseconds / 1000) ms")
            guard outcome.isOK else { return "\(outcome.statusName), \(outcome.explanationText)" }
            let isGood = try parse(outcome.reply, "health")["ok"]?.boolValue
            try require(isGood != nil, "the reply has no \"ok\" that is true or false")
            return isGood == true ? "ok" : "not ok"
        },
        Trial("audit-is-heard", "audit, where it is, takes every event", kind: .adapter) { bench throws(TrialEnd) in
            let stage = try bench.stage(.instance)
            for event in [
                "{\"kind\":\"job_started\",\"job_id\":\"job-0\",\"tool_id\":\"x.y\",\"action\":\"y\"}",
                "{\"kind\":\"job_ended\",\"job_id\":\"job-0\",\"tool_id\":\"x.y\",\"action\":\"y\",\"status\":0}",
                "{\"kind\":\"something_new\",\"more\":{\"and\":[\"more\"]}}",
            ] {
                try stage.audit(Array(event.utf8))
            }
            return "3 events, one of a kind to come"
        },
        Trial("artifacts-loop", "artifacts cope with short writes and with a full disk") { bench throws(TrialEnd) in
            for habits in [Habits(takesLittle: true), Habits(hasNoRoom: true)] {
                let stage = try stageToCall(bench, habits)
                for example in try bench.examplesToCall() { _ = try stage.run(example) }
                let misuses = try stage.census().misuses.filter { $0.hasPrefix("artifact") }
                try require(misuses.isEmpty, misuses.first ?? "")
            }
            return "none was finished that was not whole"
        },
    ]

    /// Ready for calls: an executor has its instance, an adapter connects for each.
    static func stageToCall(_ bench: Bench, _ habits: Habits = Habits()) throws(TrialEnd) -> Stage {
        try bench.stage(try bench.needManifest().kind == .adapter ? .table : .instance, habits)
    }

    /// The examples that are answered with DOME_OK. Skips if none is.
    static func answered(_ bench: Bench) throws(TrialEnd) -> [(Bench.Example, CallOutcome)] {
        var good: [(Bench.Example, CallOutcome)] = []
        let stage = try stageToCall(bench)
        for example in try bench.examplesToCall() {
            let outcome = try stage.run(example)
            if outcome.isOK { good.append((example, outcome)) }
        }
        guard !good.isEmpty else { throw .skipped("no call succeeds (see calls-succeed)") }
        return good
    }

    static func name(of example: Bench.Example) -> String { example.action.isEmpty ? "prepare" : "'\(example.action)'" }

    /// Whether what is tried is our guess and not the author's word.
    private static func isGuess(_ bench: Bench) -> Bool { bench.manifest?.kind == .executor && !bench.hasOwnJobs }

    static func parse(_ reply: [UInt8], _ what: String) throws(TrialEnd) -> JSONValue {
        do throws(DomeError) {
            return try JSONParser.parse(reply, what: "the reply of \(what)")
        } catch {
            throw .failed(error.message)
        }
    }
}
