internal import DomeCrypto
internal import DomeModel
internal import DomePlatform
internal import Glibc

/// The program of a job and, for a script, what runs it.
struct ProgramFacts: Sendable, Equatable {
    var path: String
    /// In hexadecimal, or "unknown".
    var sha256: String
    var interpreter: String?
    var interpreterSHA256: String?

    /// Larger files are not read: what is said of them is "unknown".
    private static let limitBytes: UInt64 = 1 << 30
    private static let longestLine = 256

    /// Blocks for as long as reading the file takes.
    static func read(_ path: String) -> ProgramFacts {
        var facts = ProgramFacts(path: path, sha256: digest(path))
        facts.interpreter = interpreter(of: path)
        facts.interpreterSHA256 = facts.interpreter.map(digest)
        return facts
    }

    private static func digest(_ path: String) -> String {
        do throws(DomeError) { return try SHA256.digest(ofFileAt: path, limitBytes: limitBytes).digest.hex } catch {
            return "unknown"
        }
    }

    /// What stands behind `#!` in the first line.
    private static func interpreter(of path: String) -> String? {
        var start = [UInt8](repeating: 0, count: longestLine)
        guard let file = try? Files.open(path, O_RDONLY | O_NONBLOCK) else { return nil }
        let count = Glibc.pread(file.number, &start, start.count, 0)
        guard count > 2, start[0] == UInt8(ascii: "#"), start[1] == UInt8(ascii: "!") else { return nil }
        let line = start[2..<count].prefix { $0 != 0x0a && $0 != 0 }
        let words = String(decoding: line, as: UTF8.self).split(separator: " ").map(String.init)
        return words.first.flatMap { $0.hasPrefix("/") ? $0 : nil }
    }

    var document: JSONValue {
        var object: JSONObject = ["path": .string(path), "sha256": .string(sha256)]
        if let interpreter {
            object["interpreter"] = [
                "path": .string(interpreter), "sha256": .string(interpreterSHA256 ?? "unknown"),
            ]
        }
        return .object(object)
    }
}
