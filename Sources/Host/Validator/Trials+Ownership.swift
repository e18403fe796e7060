internal import DomeModel
internal import DomePlatform

// Who owns what: memory that is lent, memory that is taken, threads, states.
extension Validator {
    static let ownershipTrials: [Trial] = [
        Trial("a-whole-life", "from dlopen to exit, with every function called, and nothing lent misused", isGate: true)
        {
            bench throws(TrialEnd) in
            _ = try bench.life()
            return "lent memory neither overread, written to, nor kept"
        },
        Trial("heap-is-sound", "no block is overrun, freed twice, or used after it was freed") {
            bench throws(TrialEnd) in
            let findings = try bench.life().after.heapFindings
            try require(findings.isEmpty, findings.prefix(3).joined(separator: "; "))
            return "under a checking allocator"
        },
        Trial("calls-leak-nothing", "calls free what they take") { bench throws(TrialEnd) in
            guard let examples = try? bench.examplesToCall(), !examples.isEmpty else {
                throw .skipped("there is nothing to call")
            }
            let stage = try stageToCall(bench)
            return try grow(stage, "rounds of calls") { () throws(TrialEnd) in
                for example in examples.prefix(5) { _ = try stage.run(example) }
                _ = try stage.run(Array("no-such-action".utf8), Array("{".utf8))
            }
        },
        Trial("instances-leak-nothing", "disconnect or destroy frees what connect or create took") {
            bench throws(TrialEnd) in
            let stage = try bench.stage(.table)
            return try grow(stage, "instances") { () throws(TrialEnd) in
                let made = try stage.makeInstance(0, stage.config)
                if made.isOK { try stage.destroyInstance(0) }
                _ = try stage.makeInstance(1, "[")
                try? stage.destroyInstance(1)
            }
        },
        Trial("thread-rules", "functions of the host are called on the threads that their tags name") {
            bench throws(TrialEnd) in
            let misuses = try bench.life().misuses("thread")
            try require(misuses.isEmpty, misuses.joined(separator: "; "))
            return "kept"
        },
        Trial("state-rules", "functions of the host are called in the states that their tags name") {
            bench throws(TrialEnd) in
            let misuses = try bench.life().misuses("state")
            try require(misuses.isEmpty, misuses.joined(separator: "; "))
            return "kept"
        },
        Trial("text-rules", "texts for the host are UTF-8 with a pointer and a size") { bench throws(TrialEnd) in
            let misuses = try bench.life().misuses("text")
            try require(misuses.isEmpty, misuses.joined(separator: "; "))
            return "kept"
        },
    ]

    /// Runs `round` often and fails if each time more blocks of the heap stay behind. The first rounds do not count:
    /// caches fill. Slow rounds are run less often.
    private static func grow(
        _ stage: Stage, _ what: String, _ round: () throws(TrialEnd) -> Void
    ) throws(TrialEnd) -> String {
        let began = Clock.monotonicNanoseconds()
        try round()
        let milliseconds = max(1, (Clock.monotonicNanoseconds() - began) / 1_000_000)
        let rounds = min(20, max(4, 250 / milliseconds))
        var marks: [Census] = []
        for _ in 0..<4 {
            for _ in 0..<rounds { try round() }
            marks.append(try stage.census())
        }
        let growth = zip(marks.dropFirst(2), marks.dropFirst()).map { $0.liveBlocks - $1.liveBlocks }
        let bytes = (marks.last?.liveBytes ?? 0) - (marks.dropFirst().first?.liveBytes ?? 0)
        try require(
            !growth.allSatisfy { $0 >= rounds },
            "\(growth.last ?? 0) blocks more after \(rounds) rounds, each time; \(bytes) bytes in \(2 * rounds)")
        return "\(growth.map(String.init).joined(separator: ", ")) blocks more in \(rounds) \(what)"
    }
}
