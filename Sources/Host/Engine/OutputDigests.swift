internal import DomeCrypto
internal import DomeJournal
internal import DomeModel

/// SHA-256 of what a job wrote to stdout and stderr, byte for byte as far as its journal has it.
struct OutputDigests: Sendable, Equatable {
    var standardOutput: String
    var standardError: String

    private static let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    /// Of a job that wrote nothing.
    static let empty = OutputDigests(standardOutput: nothing, standardError: nothing)

    /// Of no one knows what.
    static let unknown = OutputDigests(standardOutput: "unknown", standardError: "unknown")

    var members: [(String, JSONValue)] {
        [("stdout_sha256", .string(standardOutput)), ("stderr_sha256", .string(standardError))]
    }
}

/// A journal that is being read for its digests, some megabytes at a time: it may be gigabytes long, and others need the
/// thread meanwhile.
final class OutputHashing {
    private static let bytesAtOnce = 4 << 20

    private let cursor: JournalCursor
    /// nil when it is done.
    private var hashes: Hashes?
    private var seq: UInt64 = 0

    /// The journal at `path` must have got its EXIT record.
    init(path: String, _ job: JobID) throws(DomeError) {
        cursor = try JournalCursor(path: path, job)
        hashes = Hashes(try SHA256(), try SHA256())
    }

    /// Reads on; nil when there is more.
    func advance() throws(DomeError) -> OutputDigests? {
        let step = try cursor.next(after: seq, maxBytes: Self.bytesAtOnce) { hashes?.add($0) }
        if let error = hashes?.error { throw error }
        guard step.isAtEnd || step.lastSeq == seq else {
            seq = step.lastSeq
            return nil
        }
        guard let done = hashes.take() else { return .unknown }
        return try done.finish()
    }

    private struct Hashes: ~Copyable {
        private var standardOutput: SHA256
        private var standardError: SHA256
        private(set) var error: DomeError?

        init(_ standardOutput: consuming SHA256, _ standardError: consuming SHA256) {
            self.standardOutput = standardOutput
            self.standardError = standardError
        }

        mutating func add(_ event: EventView) {
            guard event.kind == .log, error == nil else { return }
            do throws(DomeError) {
                let end: [UInt8] = event.isPartial ? [] : [0x0a]
                switch event.stream {
                case .stdout:
                    try standardOutput.update(event.payload)
                    try standardOutput.update(end)
                case .stderr:
                    try standardError.update(event.payload)
                    try standardError.update(end)
                case .none: break
                }
            } catch {
                self.error = error
            }
        }

        consuming func finish() throws(DomeError) -> OutputDigests {
            OutputDigests(
                standardOutput: try standardOutput.finish().hex, standardError: try standardError.finish().hex)
        }
    }
}
