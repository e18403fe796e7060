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
        /// Another library had taken its place. Not kept.
        case replaced(String)
    }

    let outcome: Outcome

    var isKept: Bool {
        switch outcome {
        case .declared, .refused, .crashed: true
        case .unable, .replaced: false
        }
    }

    static let limitMilliseconds: Int64 = 5_000
    private static let outputLimitBytes = 2 << 20

    /// Loads it in a process of its own. Blocks until that has ended, at most the limit.
    static func run(
        _ plugin: PluginRecord, by command: (PluginRecord) throws(DomeError) -> Subprocess
    ) -> PluginScan {
        do throws(DomeError) {
            let heard = try hear(command(plugin), of: plugin.folder, limitMilliseconds: limitMilliseconds)
            // What was heard may be another library's: not to be kept under this one's hash.
            guard plugin.libraryIdentity == FileIdentity(path: plugin.libraryPath) else {
                return PluginScan(outcome: .replaced("its library was replaced while it was looked at"))
            }
            return PluginScan(outcome: heard)
        } catch {
            return PluginScan(outcome: .unable("its scan could not be started: \(error.message)"))
        }
    }

    /// Runs a worker that loads a plugin, to hear one document. Blocks until it has ended, at most the limit.
    static func hear(
        _ command: Subprocess, of folder: String, limitMilliseconds: Int64
    ) throws(DomeError) -> Outcome {
        let outcome = try command.capture(
            limitBytes: outputLimitBytes, timeoutMilliseconds: limitMilliseconds)
        return judged(outcome, folder, limitMilliseconds)
    }

    private static func judged(
        _ outcome: Subprocess.Outcome, _ folder: String, _ limitMilliseconds: Int64
    ) -> Outcome {
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
            return .crashed(
                "it took longer than \(limitMilliseconds / 1000) s to load, initialize and speak for itself")
        }
        if outcome.exitCode == ConfinedLaunch.failureStatus {
            return .unable(failure ?? "it could not be confined: 'dome doctor' tries the sandbox and says why")
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
            case .unable, .replaced: ("", "")
            }
        let document: JSONValue = ["outcome": .string(word), "text": .string(text)]
        try Files.writeAtomically(path, Array(document.compact.utf8))
    }
}

/// The SHA-256 of libraries, remembered as long as the files do not change.
struct LibraryHashes {
    private var known: [String: (identity: FileIdentity, sha256: String)] = [:]

    static let limitBytes: UInt64 = 1 << 30

    /// The hash, and of which file it is. Blocks, for a file that was not seen before. E_INVALID_REQUEST for one that
    /// changes meanwhile.
    mutating func sha256(_ path: String) throws(DomeError) -> (sha256: String, identity: FileIdentity) {
        let before = FileIdentity(path: path)
        if let entry = known[path], entry.identity == before { return (entry.sha256, entry.identity) }
        let sum = try SHA256.digest(ofFileAt: path, limitBytes: Self.limitBytes).digest.hex
        guard let before, FileIdentity(path: path) == before else {
            throw DomeError(.invalidRequest, "\(path) was replaced or written to while it was read")
        }
        known[path] = (before, sum)
        return (sum, before)
    }
}
