internal import DomeModel
internal import PluginABI

// ext/cancel.h.
extension Validator {
    /// How long a plugin may go on after it was canceled.
    private static let patienceMilliseconds: Int64 = 2000

    static let cancelTrials: [Trial] = [
        Trial("canceled-before-it-begins", "a call that is canceled from the start returns soon") {
            bench throws(TrialEnd) in
            let stage = try stageToCall(bench, Habits(cancelAfterMilliseconds: 0))
            var asked = 0
            let examples = try bench.examplesToCall()
            for example in examples {
                let outcome = try stage.run(example)
                asked += outcome.cancelAsked > 0 ? 1 : 0
                let milliseconds = outcome.microseconds / 1000
                try require(
                    milliseconds <= patienceMilliseconds,
                    "\(name(of: example)) went on for \(milliseconds) ms: ask "
                        + "is_canceled about once a millisecond and return DOME_CANCELED")
            }
            return "\(asked) of \(examples.count) asked"
        },
        Trial("canceled-while-it-runs", "a call that is canceled after 50 ms returns soon") { bench throws(TrialEnd) in
            var longest: Int64 = 0
            var wasMet = false
            let stage = try stageToCall(bench, Habits(cancelAfterMilliseconds: 50))
            for example in try bench.examplesToCall() {
                let outcome = try stage.run(example, limit: bench.options.stepMilliseconds + patienceMilliseconds)
                let milliseconds = outcome.microseconds / 1000
                longest = max(longest, milliseconds)
                // A call that ended as it was told to may have taken 49.9 ms by its own clock.
                wasMet = wasMet || milliseconds >= 50 || outcome.canceledForMicroseconds != nil
                try require(
                    milliseconds <= 50 + patienceMilliseconds,
                    "\(name(of: example)) went on for \(milliseconds) ms after 50: ask is_canceled now and then")
            }
            guard wasMet else { throw .skipped("every call is over before: \(longest) ms at most") }
            return "over after \(longest) ms at most"
        },
        Trial("canceled-only-if-it-was", "DOME_CANCELED is only said of a call that was canceled") {
            bench throws(TrialEnd) in
            let stage = try stageToCall(bench)
            for example in try bench.examplesToCall() {
                let outcome = try stage.run(example)
                try require(
                    outcome.status != Int64(DOME_CANCELED),
                    "\(name(of: example)) said DOME_CANCELED, and is_canceled never was true")
            }
            return "never otherwise"
        },
        Trial("long-calls-ask", "a call that takes a second or more asks whether it is canceled") {
            bench throws(TrialEnd) in
            var longest: Int64 = 0
            let stage = try stageToCall(bench)
            for example in try bench.examplesToCall() {
                let outcome = try stage.run(example)
                longest = max(longest, outcome.microseconds / 1000)
                try require(
                    outcome.microseconds < 1_000_000 || outcome.cancelAsked > 0,
                    "\(name(of: example)) took \(outcome.microseconds / 1000) ms and never called is_canceled")
            }
            return "the longest takes \(longest) ms"
        },
    ]
}
