internal import DomeCrypto
internal import DomeLink
internal import DomeModel
internal import DomePlatform
internal import Glibc

/// What came of loading a plugin once to hear what it declares. Kept by content, so that a plugin which has not changed
/// is not loaded again, and one that crashed is not tried again.
struct PluginScan {
    enum Outcome: Equatable {
        /// The declaration, JSON text.
        case declared(String)
        case refused(String)
        /// The signal's name and place, or what else ended it.
        case crashed(String)
        /// Nothing was loaded: this machine cannot confine it now. Not kept.
        case unable(String)
    }

    let outcome: Outcome

    static let limitMilliseconds: Int64 = 5_000
    private static let outputLimitBytes = 2 << 20

    /// Loads it in a process of its own. Blocks until that has ended, at most the limit.
    static func run(
        _ folder: String, by command: (String) throws(DomeError) -> Subprocess
    ) -> PluginScan {
        do throws(DomeError) {
            let outcome = try command(folder).capture(
                limitBytes: outputLimitBytes, timeoutMilliseconds: limitMilliseconds)
            return PluginScan(outcome: judged(outcome, folder))
        } catch {
            return PluginScan(outcome: .unable("its scan could not be started: \(error.message)"))
        }
    }

    private static func judged(_ outcome: Subprocess.Outcome, _ folder: String) -> Outcome {
        var reader = WorkerReportReader()
        var (declaration, failure, crash, isDone): ([UInt8], String?, String?, Bool) = ([], nil, nil, false)
        for report in outcome.output.withUnsafeBytes({ reader.take($0) }) {
            switch report {
            case .result(let bytes): declaration += bytes
            case .failed(let reason): failure = reason
            case .crashed(let place): crash = place
            case .done: isDone = true
            case .log, .progress: break
            }
        }
        if let crash { return .crashed(crash) }
        if outcome.isTimedOut {
            return .crashed("it took longer than \(limitMilliseconds / 1000) s to load, initialize and describe itself")
        }
        if outcome.exitCode == ConfinedLaunch.failureStatus {
            return .unable(failure ?? "it could not be confined; see the daemon's log")
        }
        // In the jail it has another path.
        if let failure { return .refused(failure.replacing(AdapterJob.pluginFolder, with: folder)) }
        guard isDone, outcome.exitCode == 0 else {
            let end =
                outcome.exitCode.map {
                    $0 > 128 ? "was ended by signal \($0 - 128)" : "ended its process with exit code \($0)"
                }
                ?? "was ended by a signal"
            return .crashed("it \(end) while it was loaded")
        }
        return .declared(String(decoding: declaration, as: UTF8.self))
    }

    // MARK: The record

    /// One that cannot be read is no record.
    static func read(_ path: String) -> PluginScan? {
        guard let bytes = try? Files.read(path, limitBytes: 4 << 20),
            let document = try? JSONParser.parse(bytes, what: path), let text = document["text"]?.stringValue
        else { return nil }
        switch document["outcome"]?.stringValue {
        case "declared": return PluginScan(outcome: .declared(text))
        case "refused": return PluginScan(outcome: .refused(text))
        case "crashed": return PluginScan(outcome: .crashed(text))
        default: return nil
        }
    }

    func write(_ path: String) throws(DomeError) {
        let (word, text) =
            switch outcome {
            case .declared(let text): ("declared", text)
            case .refused(let text): ("refused", text)
            case .crashed(let text): ("crashed", text)
            case .unable: ("unable", "")
            }
        let document: JSONValue = ["outcome": .string(word), "text": .string(text)]
        try Files.writeAtomically(path, Array(document.compact.utf8))
    }
}

/// The SHA-256 of libraries, remembered as long as the files do not change.
struct LibraryHashes {
    private var known: [String: (stamp: FileStamp, sha256: String)] = [:]

    static let limitBytes: UInt64 = 1 << 30

    /// Blocks, for a file that was not seen before.
    mutating func sha256(_ path: String) throws(DomeError) -> String {
        let stamp = FileStamp(path: path)
        if let entry = known[path], entry.stamp == stamp { return entry.sha256 }
        let sum = try SHA256.digest(ofFileAt: path, limitBytes: Self.limitBytes).digest.hex
        // The stamp from before: a change while reading shows next time.
        known[path] = (stamp, sum)
        return sum
    }
}
