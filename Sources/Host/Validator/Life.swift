internal import DomeCatalog
internal import DomeModel

/// A plugin's whole life in one process, and what the process looked like before and after.
struct Life {
    let before: Census
    let after: Census
    /// What it wrote to stdout.
    let printed: String

    /// How long a plugin is watched after deinit.
    private static let watchMicroseconds: UInt32 = 250_000

    /// Takes the plugin from dlopen through every function it has to deinit, and has the process exit.
    static func live(_ bench: Bench) throws(TrialEnd) -> Life {
        let stage = try bench.stage(.opened)
        let before = try stage.census()
        try require(try stage.initialize(), "init returned false")
        try require(try stage.factory(stage.factoryID).address != 0, "get_factory knows no \(stage.factoryID)")
        _ = try stage.descriptor()
        let made = try stage.makeInstance(0, stage.config)
        try require(made.isOK && made.flag, "\(stage.create) failed: \(made.statusName), \(made.explanationText)")
        for _ in 0..<2 {
            for example in ((try? bench.examplesToCall()) ?? []).prefix(20) { _ = try stage.run(example) }
        }
        _ = try stage.run(Array("no-such-action".utf8), Array("{".utf8))
        if stage.kind == .adapter {
            try optional { () throws(TrialEnd) in _ = try stage.health() }
            try optional { () throws(TrialEnd) in try stage.audit(Array("{\"kind\":\"job_ended\"}".utf8)) }
        }
        try optional { () throws(TrialEnd) in _ = try stage.extensionTable("dome.nothing/1") }
        try stage.leave()
        // Threads that it forgot get time to do harm.
        stage.probe.pause(microseconds: watchMicroseconds)
        let after = try stage.census()
        try stage.probe.exit()
        stage.probe.readOutput()
        return Life(before: before, after: after, printed: String(decoding: stage.probe.printed, as: UTF8.self))
    }

    /// A function that is not there is no failure.
    private static func optional(_ body: () throws(TrialEnd) -> Void) throws(TrialEnd) {
        do throws(TrialEnd) { try body() } catch {
            if case .failed = error { throw error }
        }
    }

    /// What there is more of after the plugin's life, of these kinds.
    func left(_ kinds: [String]) -> [String] { Census.added(after.of(kinds), to: before.of(kinds)) }

    func misuses(_ kind: String) -> [String] { after.misuses.filter { $0.contains(": \(kind): ") } }
}
