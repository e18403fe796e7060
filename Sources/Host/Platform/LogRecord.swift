internal import DomeModel
internal import Glibc

/// One event of the log, in each of its forms.
struct LogRecord {
    var level: Log.Level
    var event: String
    var fields: KeyValuePairs<String, String>
    var timeNanoseconds: Int64

    /// `time level event key=value …`
    var text: String {
        var line = Timestamp.format(nanoseconds: timeNanoseconds) + " \(level.name) \(event)"
        for (key, value) in fields { line += " \(key)=" + Self.quoted(value) }
        return line
    }

    /// `{"ts", "level", "event", "program", "pid", …}` with the fields as members. Whatever a field is called, those
    /// five are the record's own.
    var json: String {
        var object: JSONObject = [:]
        for (key, value) in fields { object[key] = .string(value) }
        let own: JSONObject = [
            "ts": .string(Timestamp.format(nanoseconds: timeNanoseconds)), "level": .string(level.name),
            "event": .string(event), "program": .string(Self.program), "pid": .integer(Int64(getpid())),
        ]
        var record = own
        for (key, value) in object.members where own[key] == nil { record[key] = value }
        return JSONValue.object(record).compact
    }

    /// As systemd's native protocol wants it (https://systemd.io/JOURNAL_NATIVE_PROTOCOL): a field a line, and one with a
    /// newline in it as its name, a newline, its length in 64 bits, its bytes and a newline. Our own are DOME_….
    var journal: [UInt8] {
        var message = event
        for (key, value) in fields { message += " \(key)=" + Self.quoted(value) }
        var output: [UInt8] = []
        Self.append("MESSAGE", message, &output)
        Self.append("PRIORITY", ["7", "6", "4", "3"][level.rawValue], &output)
        Self.append("SYSLOG_IDENTIFIER", Self.program, &output)
        Self.append("DOME_EVENT", event, &output)
        for (key, value) in fields { Self.append("DOME_" + Self.fieldName(key), value, &output) }
        return output
    }

    private static func append(_ name: String, _ value: String, _ output: inout [UInt8]) {
        output += Array(name.utf8)
        let bytes = Array(value.utf8)
        if bytes.contains(0x0a) {
            output.append(0x0a)
            withUnsafeBytes(of: UInt64(bytes.count).littleEndian) { output += Array($0) }
        } else {
            output.append(UInt8(ascii: "="))
        }
        output += bytes
        output.append(0x0a)
    }

    /// Upper-case letters, digits and underscores, at most 64 with the prefix: others are dropped by the journal.
    private static func fieldName(_ key: String) -> String {
        String(
            key.uppercased().unicodeScalars.prefix(59).map { scalar in
                scalar.isASCII && (scalar.properties.isAlphabetic || (0x30...0x39).contains(scalar.value))
                    ? Character(scalar) : "_"
            })
    }

    /// This program's name, e.g. domed.
    private static let program: String = {
        let path = CommandLine.arguments.first ?? ""
        return path.split(separator: "/").last.map(String.init) ?? "dome"
    }()

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
