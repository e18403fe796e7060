import DomeJournal
import DomeModel
import DomePlatform
import Glibc

/// A journal in a folder of its own, removed at the end of the test.
final class TemporaryJournal {
    let folder: String
    let path: String
    let jobID = JobID.make()

    init() throws {
        var template = Array("/tmp/dome-journal-XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw DomeError(.internal, "mkdtemp") }
        folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        path = Journal.path(jobsPath: folder, jobID)
    }

    deinit {
        do { try Files.removeTree(folder) } catch { print("cannot remove \(folder): \(error)") }
    }

    func bytes() throws -> [UInt8] { try Files.read(path, limitBytes: 1 << 30) }

    func replace(_ bytes: [UInt8]) throws {
        let file = try Files.open(path, O_WRONLY | O_CREAT | O_TRUNC)
        try Files.writeAll(file, bytes, what: path)
    }

    /// Everything a fresh cursor sees.
    func events(after: UInt64 = 0, through: UInt64 = .max, maxBytes: Int = .max / 2) throws -> [SeenEvent] {
        let cursor = try JournalCursor(path: path, jobID)
        return try cursor.take(after: after, through: through, maxBytes: maxBytes).events
    }
}

/// An event, copied.
struct SeenEvent: Equatable {
    var seq: UInt64
    var kind: EventKind
    var stream: OutputStream
    var isPartial: Bool
    var lineID: UInt64
    var payload: [UInt8]

    init(_ view: EventView) {
        (seq, kind, stream, isPartial, lineID) = (view.seq, view.kind, view.stream, view.isPartial, view.lineID)
        payload = [UInt8](view.payload)
    }

    var text: String { String(decoding: payload, as: UTF8.self) }
}

extension JournalCursor {
    func take(
        after: UInt64, through: UInt64 = .max, maxBytes: Int = .max / 2
    ) throws -> (step: JournalStep, events: [SeenEvent]) {
        var events: [SeenEvent] = []
        let step = try next(after: after, through: through, maxBytes: maxBytes) { events.append(SeenEvent($0)) }
        return (step, events)
    }
}

extension JournalWriter {
    func lines(_ text: String, _ stream: OutputStream = .stdout) throws {
        try Array(text.utf8).withBytes { raw throws(DomeError) in
            try appendLines(raw, stream: stream, wallNanoseconds: 1)
        }
    }
}

extension OutputRecorder {
    func take(_ bytes: [UInt8], _ stream: OutputStream = .stdout) throws {
        try bytes.withBytes { raw throws(DomeError) in try take(raw, from: stream, wallNanoseconds: 1) }
    }

    func take(_ text: String, _ stream: OutputStream = .stdout) throws { try take(Array(text.utf8), stream) }
}
