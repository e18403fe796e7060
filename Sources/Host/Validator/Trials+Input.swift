internal import DomeCatalog
internal import DomeModel
internal import PluginABI

// Payloads and jobs that do not fit. dome checks a payload against its schema before a plugin sees it; a plugin that
// falls over what slips through is one mistake away from being attacked by it.
extension Validator {
    static let inputTrials: [Trial] = [
        Trial("malformed-payloads", "what is no JSON at all does no harm") { bench throws(TrialEnd) in
            let texts = [
                "", " ", "{", "}", "[1,", "nul", "{\"a\":}", "{\"a\" 1}", "\"", "\"\\u12", "\"\\ud800\"", "01", "1e",
                "{\"a\":1,}", "[1]]", "\u{0}", "{\"a\":\"\u{0}\"}", "\u{feff}{}",
            ]
            let payloads =
                texts.map { Array($0.utf8) } + [[0xff], [0x22, 0xc3, 0x28, 0x22], [0x22, 0xed, 0xa0, 0x80, 0x22]]
            return try feed(payloads, to: bench)
        },
        Trial("odd-payloads", "JSON of another shape does no harm") { bench throws(TrialEnd) in
            let shapes = ["null", "true", "0", "-1", "1e308", "\"\"", "[]", "{}", "[[[]]]", "{\"\":null}"]
            var payloads = shapes.map { Array($0.utf8) }
            // Each member of a good one turned into something else.
            for example in (try? bench.examplesToCall()) ?? [] {
                for (name, _) in example.payload.objectValue?.members ?? [] {
                    for other in [JSONValue.null, .integer(.min), .array([.null]), .string("\u{0}"), .bool(false)] {
                        guard var object = example.payload.objectValue else { continue }
                        object[name] = other
                        payloads.append(Array(JSONValue.object(object).compact.utf8))
                    }
                }
            }
            return try feed(payloads, to: bench)
        },
        Trial("deep-payloads", "a payload nested 100,000 deep does no harm") { bench throws(TrialEnd) in
            let depth = 100_000
            let arrays = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            let objects = String(repeating: "{\"a\":", count: depth) + "1" + String(repeating: "}", count: depth)
            let half = String(repeating: "[", count: depth)
            return try feed([arrays, objects, half].map { Array($0.utf8) }, to: bench)
        },
        Trial("oversized-payloads", "a payload of 16 MiB does no harm") { bench throws(TrialEnd) in
            var payloads: [[UInt8]] = []
            for example in ((try? bench.examplesToCall()) ?? []).prefix(3) {
                guard var object = example.payload.objectValue else { continue }
                let texts = object.members.filter { $0.value.stringValue != nil }.map(\.key)
                object[texts.first ?? "large"] = .string(String(repeating: "x", count: 16 << 20))
                payloads.append(Array(JSONValue.object(object).compact.utf8))
            }
            payloads.append(Array(("[" + String(repeating: "0,", count: 8 << 20) + "0]").utf8))
            return try feed(payloads, to: bench)
        },
        Trial("fuzzed-payloads", "random payloads do no harm") { bench throws(TrialEnd) in
            let seed = bench.options.seed
            var fuzzer = Fuzzer(seed: seed)
            let examples = (try? bench.examplesToCall()) ?? []
            // What takes long is canceled: it is the payload that counts.
            let habits = Habits(cancelAfterMilliseconds: 2)
            var stage = try stageToCall(bench, habits)
            for round in 0..<bench.options.fuzzCount {
                let example = examples.isEmpty ? nil : examples[round % examples.count]
                let payload = fuzzer.payload(like: example?.payload ?? ["name": "example"])
                let outcome: CallOutcome
                do throws(TrialEnd) {
                    outcome = try stage.run(Array((example?.action ?? "").utf8), payload)
                    // Now and then in a fresh process: not everything shows in an old one.
                    if round % 100 == 99 { stage = try stageToCall(bench, habits) }
                } catch {
                    throw error.adding("--seed \(seed) repeats it, payload \(round) was \(shown(payload))")
                }
                try require(
                    outcome.isKnown,
                    "returned \(outcome.statusName); --seed \(seed) repeats it, payload \(round) was \(shown(payload))")
            }
            let findings = try stage.census().heapFindings
            try require(findings.isEmpty, "\(findings.first ?? ""); --seed \(seed) repeats it")
            return "\(bench.options.fuzzCount) with --seed \(seed)"
        },
        Trial("statuses-are-known", "every status is one of status.h") { bench throws(TrialEnd) in
            let stage = try stageToCall(bench)
            var examples = (try? bench.examplesToCall()) ?? []
            examples.append(Bench.Example(action: "no-such-action", payload: "text"))
            for example in examples {
                let outcome = try stage.run(example)
                try require(outcome.isKnown, "\(name(of: example)) returned \(outcome.statusName)")
            }
            return "\(examples.count) calls"
        },
    ]

    /// Each payload to each action, one after the other in one process.
    private static func feed(_ payloads: [[UInt8]], to bench: Bench) throws(TrialEnd) -> String {
        let stage = try stageToCall(bench, Habits(cancelAfterMilliseconds: 2))
        let isAdapter = try bench.needManifest().kind == .adapter
        let names = isAdapter ? try bench.actions().compactMap { $0["name"]?.stringValue } : [""]
        for name in names {
            for payload in payloads {
                let outcome: CallOutcome
                do throws(TrialEnd) { outcome = try stage.run(Array(name.utf8), payload) } catch {
                    throw error.adding("the payload was \(shown(payload))")
                }
                try require(outcome.isKnown, "\(shown(payload)) came to \(outcome.statusName)")
                // Of what was no JSON nothing is expected but no harm.
                guard outcome.isOK, isAdapter, (try? JSONParser.parse(payload, what: "it")) != nil else { continue }
                _ = try parse(outcome.reply, "'\(name)' to \(shown(payload))")
            }
        }
        let findings = try stage.census().heapFindings
        try require(findings.isEmpty, findings.first ?? "")
        return "\(payloads.count) to \(isAdapter ? "\(names.count) actions" : "prepare")"
    }

    private static func shown(_ payload: [UInt8]) -> String {
        let text = String(decoding: payload.prefix(200), as: UTF8.self)
        return payload.count > 200 ? "\(text.prefix(60))… (\(payload.count) bytes)" : text
    }
}
