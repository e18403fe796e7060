internal import DomeModel

/// What can be read as a resource: a job's output, and the files it left.
enum ResourceURI: Equatable {
    /// dome://jobs/JOB/log, or /stdout or /stderr for one stream.
    case log(String, OutputStream)
    /// dome://jobs/JOB/artifacts/NAME
    case artifact(String, String)

    private static let prefix = "dome://jobs/"

    init?(_ text: String) {
        guard text.hasPrefix(Self.prefix) else { return nil }
        let parts = text.dropFirst(Self.prefix.count).split(
            separator: "/", maxSplits: 2, omittingEmptySubsequences: false)
        guard let first = parts.first, let id = JobID(String(first)), parts.count > 1 else { return nil }
        switch (parts[1], parts.count) {
        case ("log", 2): self = .log(id.text, .none)
        case ("stdout", 2): self = .log(id.text, .stdout)
        case ("stderr", 2): self = .log(id.text, .stderr)
        case ("artifacts", 3):
            guard let name = Self.decoded(parts[2]), !name.isEmpty else { return nil }
            self = .artifact(id.text, name)
        default: return nil
        }
    }

    var text: String {
        switch self {
        case .log(let id, .none): Self.prefix + id + "/log"
        case .log(let id, let stream): Self.prefix + id + "/" + stream.name
        case .artifact(let id, let name): Self.prefix + id + "/artifacts/" + Self.encoded(name)
        }
    }

    /// RFC 3986: unreserved characters and slashes as they are, the rest as %XX.
    private static func encoded(_ name: String) -> String {
        var output = ""
        for byte in name.utf8 {
            let scalar = Unicode.Scalar(byte)
            switch scalar {
            case "a"..."z", "A"..."Z", "0"..."9", "-", ".", "_", "~", "/": output.unicodeScalars.append(scalar)
            default:
                let hex = String(byte, radix: 16, uppercase: true)
                output += byte < 16 ? "%0" + hex : "%" + hex
            }
        }
        return output
    }

    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2, let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}
