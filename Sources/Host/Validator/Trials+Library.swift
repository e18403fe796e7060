internal import DomeModel
internal import PluginABI

// The library as a file: read, never run.
extension Validator {
    static let libraryTrials: [Trial] = [
        Trial("library-is-elf", "the library is a shared library for this machine", isGate: true) {
            bench throws(TrialEnd) in
            let library = try bench.library()
            return ELFLibrary.name(ofMachine: library.machine)
        },
        Trial("library-exports-the-entry", "it exports dome_plugin_entry", isGate: true) { bench throws(TrialEnd) in
            let exports = try bench.library().exports
            try require(
                exports.contains(DOME_ENTRY_SYMBOL),
                "no symbol \(DOME_ENTRY_SYMBOL): declare it with DOME_EXPORT, in C++ inside extern \"C\"")
            return "found"
        },
        Trial("library-exports-nothing-else", "it exports that one symbol and no other") { bench throws(TrialEnd) in
            let others = try bench.library().exports.filter { $0 != DOME_ENTRY_SYMBOL }
            try require(
                others.isEmpty,
                "exports \(others.count) more, \(others.prefix(3).joined(separator: ", ")) among them: build with "
                    + "-fvisibility=hidden, or link with a version script")
            return "one symbol"
        },
        Trial("library-links-nothing-of-dome", "it links no library or program of dome's") { bench throws(TrialEnd) in
            let needed = try bench.library().needed
            let ours = needed.filter { $0.hasPrefix("libDome") || $0.hasPrefix("libdome") || $0.hasPrefix("domed") }
            try require(
                ours.isEmpty, "needs \(ours.joined(separator: ", ")): what a plugin wants of the host it asks by id")
            return needed.isEmpty ? "needs no library" : "needs \(needed.joined(separator: ", "))"
        },
        Trial("library-stack-is-not-executable", "it does not make the stack executable") { bench throws(TrialEnd) in
            try require(
                !(try bench.library().isStackExecutable),
                "wants an executable stack: link with -z noexecstack; in assembly add .section .note.GNU-stack")
            return "not executable"
        },
        Trial("library-has-no-text-relocations", "its code is position-independent") { bench throws(TrialEnd) in
            try require(
                !(try bench.library().hasTextRelocations), "has relocations in its code: compile everything with -fPIC")
            return "none"
        },
        Trial("entry-is-static", "the entry's first members are constants of the file") { bench throws(TrialEnd) in
            guard let entry = try bench.library().entry else {
                throw .failed("dome_plugin_entry has no bytes in the file: define it with constant initializers")
            }
            try require(
                entry.magic == DOME_ENTRY_MAGIC,
                "its magic in the file is 0x\(String(entry.magic, radix: 16)): define it with DOME_ENTRY_HEADER, not at "
                    + "run time, so that it can be checked before anything runs")
            return "ABI \(entry.abiMajor).\(entry.abiMinor)"
        },
    ]
}
