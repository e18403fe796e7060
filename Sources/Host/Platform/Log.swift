internal import DomeModel
internal import Glibc
internal import Synchronization

/// The structured log: an event is a stable name with fields, ids always; payloads, environments and secrets never. To
/// standard error as a line of text, `time level event key=value …`, or of JSON; or to systemd's journal, as fields.
/// From any thread.
package enum Log {
    package enum Level: Int, Sendable, Comparable {
        case debug, info, warning, error
        package static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
        package var name: String { ["debug", "info", "warning", "error"][rawValue] }

        package init?(name: String) {
            guard let index = ["debug", "info", "warning", "error"].firstIndex(of: name) else { return nil }
            self.init(rawValue: index)
        }
    }

    package enum Format: Int, Sendable {
        case text, json, journal
    }

    private static let threshold = Atomic<Int>(Level.info.rawValue)
    private static let format = Atomic<Int>(Format.text.rawValue)

    /// Drops what is below `level`.
    package static func setLevel(_ level: Level) { threshold.store(level.rawValue, ordering: .relaxed) }

    /// `journal` without a journal on this machine is `text`.
    package static func setFormat(_ format: Format) {
        let isPossible = format != .journal || SystemJournal.isThere
        Self.format.store((isPossible ? format : .text).rawValue, ordering: .relaxed)
    }

    /// By its name in the settings: text, json, journal; anything else is `auto`, the journal where standard error leads
    /// there.
    package static func setFormat(named name: String) {
        switch name {
        case "text": setFormat(.text)
        case "json": setFormat(.json)
        case "journal": setFormat(.journal)
        default: setFormat(SystemJournal.isBehindStandardError ? .journal : .text)
        }
    }

    package static func debug(_ event: StaticString, _ fields: KeyValuePairs<String, String> = [:]) {
        write(.debug, event, fields)
    }
    package static func info(_ event: StaticString, _ fields: KeyValuePairs<String, String> = [:]) {
        write(.info, event, fields)
    }
    package static func warning(_ event: StaticString, _ fields: KeyValuePairs<String, String> = [:]) {
        write(.warning, event, fields)
    }
    package static func error(_ event: StaticString, _ fields: KeyValuePairs<String, String> = [:]) {
        write(.error, event, fields)
    }

    private static func write(_ level: Level, _ event: StaticString, _ fields: KeyValuePairs<String, String>) {
        guard level.rawValue >= threshold.load(ordering: .relaxed) else { return }
        let record = LogRecord(
            level: level, event: "\(event)", fields: fields, timeNanoseconds: Clock.wallNanoseconds())
        let line: String
        switch Format(rawValue: format.load(ordering: .relaxed)) ?? .text {
        case .text: line = record.text
        case .json: line = record.json
        case .journal:
            // A full or vanished journal, or a record too large for a datagram: better on standard error than nowhere.
            if SystemJournal.send(record.journal) { return }
            line = record.text
        }
        // One write: lines of several threads never mix.
        let bytes = Array((line + "\n").utf8)
        _ = Glibc.write(2, bytes, bytes.count)
    }
}
