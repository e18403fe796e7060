internal import DomeCatalog
internal import DomeModel
internal import PluginABI

// Loading, the entry, init.
extension Validator {
    static let handshakeTrials: [Trial] = [
        Trial("loads", "dlopen takes the library", isGate: true) { bench throws(TrialEnd) in
            let probe = try bench.start()
            let answer = try probe.step("O", doing: "in dlopen")
            try require(answer.bool(0), answer.text(1))
            try require(answer.bool(2), "dlsym finds no \(DOME_ENTRY_SYMBOL)")
            return "in \(answer.number(3) / 1000) ms"
        },
        Trial("entry-magic", "the entry begins with DOME_ENTRY_MAGIC", isGate: true) { bench throws(TrialEnd) in
            let magic = try entry(bench).number(0)
            try require(
                magic == DOME_ENTRY_MAGIC,
                "magic is 0x\(String(magic, radix: 16)), not 0x\(String(DOME_ENTRY_MAGIC, radix: 16)): begin it with "
                    + "DOME_ENTRY_HEADER")
            return "DOMEPLUG"
        },
        Trial("entry-abi-version", "it was built for an ABI that this host loads", isGate: true) {
            bench throws(TrialEnd) in
            let entry = try entry(bench)
            let (major, minor) = (UInt32(clamping: entry.number(1)), UInt32(clamping: entry.number(2)))
            let (ownMajor, ownMinor) = (UInt32(DOME_ABI_MAJOR), UInt32(DOME_ABI_MINOR))
            try require(
                dome_abi_is_loadable(ownMajor, ownMinor, major, minor),
                "built for ABI \(major).\(minor), the host's is \(ownMajor).\(ownMinor): "
                    + (major > ownMajor ? "install a newer dome" : "rebuild it against this dome's headers"))
            return "\(major).\(minor)"
        },
        Trial("entry-struct-size", "its struct_size is that of dome_entry_t", isGate: true) { bench throws(TrialEnd) in
            let (size, own) = (try entry(bench).number(3), UInt64(MemoryLayout<dome_entry_t>.size))
            try require(size >= own, "struct_size is \(size), the host's is \(own): set it to sizeof(dome_entry_t)")
            try require(size <= 4096, "struct_size is \(size), which is no table: set it to sizeof(dome_entry_t)")
            return "\(size)"
        },
        Trial("entry-functions", "init, deinit and get_factory are there", isGate: true) { bench throws(TrialEnd) in
            let entry = try entry(bench)
            for (index, name) in ["init", "deinit", "get_factory"].enumerated() {
                try require(entry.bool(4 + index), "\(name) is NULL")
            }
            return "all three"
        },
        Trial("init-succeeds", "init returns true", isGate: true) { bench throws(TrialEnd) in
            _ = try bench.stage(.initialized)
            return "true"
        },
        Trial("init-is-quick", "loading and init take no longer than a second") { bench throws(TrialEnd) in
            let probe = try bench.start()
            let opened = try probe.step("O", doing: "in dlopen").number(3)
            let answer = try probe.step("I", [.text("{}")], doing: "in init")
            let milliseconds = (opened + answer.number(1)) / 1000
            try require(milliseconds <= 1000, "\(milliseconds) ms: scans do both; put work into \(createName(bench))")
            return "\(milliseconds) ms"
        },
        Trial("init-starts-nothing", "init starts no threads and processes and leaves nothing open") {
            bench throws(TrialEnd) in
            let stage = try bench.stage(.opened)
            let before = try stage.census()
            try require(try stage.initialize(), "init returned false")
            let kinds = ["descriptor", "thread", "process", "alarm"]
            let more = Census.added(try stage.census().of(kinds), to: before.of(kinds))
            try require(more.isEmpty, "after init there are more: \(more.prefix(4).joined(separator: ", "))")
            return "nothing"
        },
        Trial("init-without-extensions", "the plugin lives with a host that has no extensions") {
            bench throws(TrialEnd) in
            let stage = try bench.stage(.opened, Habits(hasNoExtensions: true))
            guard try stage.initialize() else { return "init says no, which is its right" }
            _ = try stage.factory(stage.factoryID)
            let made = try stage.makeInstance(0, stage.config)
            if made.isOK {
                for example in (try? bench.examplesToCall()) ?? [] { _ = try stage.run(example) }
                try stage.destroyInstance(0)
            }
            try stage.deinitialize()
            return made.isOK ? "calls ended well or said why" : "\(stage.create) said \(made.statusName)"
        },
        Trial("init-with-a-newer-host", "the plugin lives with a host of a later minor") { bench throws(TrialEnd) in
            let stage = try bench.stage(.instance, Habits(isNewer: true))
            try stage.leave()
            return "ABI \(DOME_ABI_MAJOR).\(DOME_ABI_MINOR + 7)"
        },
    ]

    static func createName(_ bench: Bench) -> String { bench.manifest?.kind == .adapter ? "connect" : "create" }

    private static func entry(_ bench: Bench) throws(TrialEnd) -> ProbeAnswer {
        let stage = try bench.stage(.opened)
        return try stage.probe.step("E", doing: "while reading dome_plugin_entry")
    }
}
