internal import DomeModel
internal import Glibc
internal import Synchronization

/// The structured log: one line an event on stderr, `time level event key=value …`. Stable event names, ids
/// always; payloads, environments and secrets never. From any thread.
package enum Log {
    package enum Level: Int, Sendable, Comparable {
        case debug, info, warning, error
        package static func < (left: Level, right: Level) -> Bool { left.rawValue < right.rawValue }
        var name: String { ["debug", "info", "warning", "error"][rawValue] }
    }

    private static let threshold = Atomic<Int>(Level.info.rawValue)

    /// Drops what is below `level`.
    package static func setLevel(_ level: Level) { threshold.store(level.rawValue, ordering: .relaxed) }

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
        var line = Timestamp.format(nanoseconds: Clock.wallNanoseconds()) + " \(level.name) \(event)"
        for (key, value) in fields { line += " \(key)=" + quoted(value) }
        line += "\n"
        // One write: lines of several threads never mix.
        let bytes = Array(line.utf8)
        _ = Glibc.write(2, bytes, bytes.count)
    }

    /// As it is when it is one plain word, else in quotes with control characters escaped: a hostile value
    /// cannot forge a line or drive a terminal.
    private static func quoted(_ value: String) -> String {
        let isPlain = value.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value < 0x7f && $0 != "\"" && $0 != "=" }
        if isPlain, !value.isEmpty { return value }
        var output = "\""
        for scalar in value.unicodeScalars {
            if scalar == "\"" || scalar == "\\" {
                output += "\\" + String(scalar)
            } else if scalar.value < 0x20 || (0x7f..<0xa0).contains(scalar.value) {
                output += "\\u{" + String(scalar.value, radix: 16) + "}"
            } else {
                output.unicodeScalars.append(scalar)
            }
        }
        return output + "\""
    }
}
