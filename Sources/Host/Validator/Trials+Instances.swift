internal import DomeModel
internal import PluginABI

// connect and disconnect, create and destroy.
extension Validator {
    static let instanceTrials: [Trial] = [
        Trial("instance-is-made", "connect or create makes an instance", isGate: true) { bench throws(TrialEnd) in
            let stage = try bench.stage(.table)
            let made = try stage.makeInstance(0, stage.config)
            let what = "\(stage.create) with \(stage.config.prefix(200))"
            try require(made.isOK, "\(what) failed: \(made.statusName), \(made.explanationText)")
            try require(made.flag, "\(what) said DOME_OK but set no instance")
            try stage.leave()
            return "with \(stage.config.prefix(60))"
        },
        Trial("instance-bad-config", "a configuration that does not fit is refused or taken, with no harm") {
            bench throws(TrialEnd) in
            let stage = try bench.stage(.table)
            var refused = 0
            let texts = ["", "{", "[]", "null", "{\"a\":}", "{\"\u{0}\":1}", String(repeating: "[", count: 50_000)]
            for config in texts.map({ Array($0.utf8) }) + [[0xff, 0xfe], Self.large] {
                let made = try stage.makeInstance(0, config)
                try require(made.isKnown, "\(stage.create) returned \(made.statusName)")
                try require(!made.isOK || made.flag, "\(stage.create) said DOME_OK but set no instance")
                if made.isOK { try stage.destroyInstance(0) } else { refused += 1 }
            }
            return "\(refused) of \(texts.count + 2) refused"
        },
        Trial("instance-refusal-leaves-none", "what is refused leaves the instance alone") { bench throws(TrialEnd) in
            let stage = try bench.stage(.table)
            let made = try stage.makeInstance(0, "[")
            if made.isOK { throw .skipped("no configuration is refused") }
            try require(
                !made.flag, "\(stage.create) failed with \(made.statusName), yet set an instance: nobody ends it")
            return made.statusName
        },
        Trial("instances-side-by-side", "two instances at once do not disturb each other") { bench throws(TrialEnd) in
            let stage = try bench.stage(.table)
            for index in 0...1 {
                let made = try stage.makeInstance(index, stage.config)
                try require(
                    made.isOK && made.flag,
                    "\(stage.create) made no instance number \(index + 1): \(made.explanationText)")
            }
            let example = (try? bench.examplesToCall())?.first
            func call(_ index: Int) throws(TrialEnd) {
                guard let example else { return }
                let payload = Array(example.payload.compact.utf8)
                _ = try stage.run(Array(example.action.utf8), payload, in: index)
            }
            try call(0)
            try stage.destroyInstance(0)
            try call(1)
            try stage.destroyInstance(1)
            try stage.deinitialize()
            return example == nil ? "without a call" : "one ended before the other was called"
        },
        Trial("instance-many-times", "making and ending an instance works again and again") { bench throws(TrialEnd) in
            let stage = try bench.stage(.table)
            for round in 1...20 {
                let made = try stage.makeInstance(0, stage.config)
                try require(
                    made.isOK && made.flag, "\(stage.create) failed the \(round). time: \(made.explanationText)")
                try stage.destroyInstance(0)
            }
            return "20 times"
        },
        Trial("instance-unknown-extensions", "get_extension answers NULL for ids that it does not know") {
            bench throws(TrialEnd) in
            let stage = try bench.stage(.instance)
            for id in ["", "dome.nothing/1", String(repeating: "x", count: 4000)] {
                let table = try stage.extensionTable(id)
                try require(table == 0, "get_extension has a table for '\(id.prefix(40))': compare the whole id")
            }
            return "3 ids"
        },
    ]

    /// A valid document of 4 MiB.
    private static let large =
        Array("{\"large\":\"".utf8) + [UInt8](repeating: 0x61, count: 4 << 20) + Array("\"}".utf8)
}
