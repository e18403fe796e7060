internal import DomeModel

// What is left of a plugin when it is gone.
extension Validator {
    static let leftoverTrials: [Trial] = [
        leftover(
            "descriptors-are-closed", "no descriptor is left open", ["descriptor"], "close it in disconnect or deinit"),
        leftover("threads-are-ended", "no thread is left when deinit has returned", ["thread"], "join it in deinit"),
        leftover("processes-are-ended", "no process is left", ["process"], "wait for it"),
        leftover(
            "signals-are-left-alone", "no signal's handler or mask is changed", ["signal", "blocked-signal"],
            "the process is the host's: leave its signals alone"),
        leftover(
            "surroundings-are-left-alone", "folder, umask, locale, rounding and alarm are as they were",
            ["folder", "umask", "locale", "rounding", "alarm"], "what is of the whole process is the host's"),
        Trial("stdout-is-left-alone", "nothing is written to stdout") { bench throws(TrialEnd) in
            let printed = try bench.life().printed
            try require(
                printed.isEmpty,
                "it printed \"\(printed.prefix(80))\": a result goes to reply, a remark to ext/log.h")
            return "silent"
        },
        Trial("silent-after-deinit", "nothing of the plugin runs on after deinit") { bench throws(TrialEnd) in
            let late = try bench.life().after.misuses.filter { $0.contains("after deinit") }
            try require(late.isEmpty, late.joined(separator: "; "))
            return "250 ms of silence"
        },
    ]

    private static func leftover(_ name: String, _ rule: String, _ kinds: [String], _ remedy: String) -> Trial {
        Trial(name, rule) { bench throws(TrialEnd) in
            let left = try bench.life().left(kinds)
            try require(left.isEmpty, "left behind: \(left.prefix(4).joined(separator: ", ")); \(remedy)")
            return "nothing left"
        }
    }
}
