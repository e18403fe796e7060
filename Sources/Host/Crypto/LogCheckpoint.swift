package import DomeModel

/// A log's size and root at one moment: the text of a C2SP tlog-checkpoint.
package struct LogCheckpoint: Sendable, Equatable {
    /// Names the log.
    package var origin: String
    package var size: UInt64
    package var root: Digest

    package init(origin: String, size: UInt64, root: Digest) {
        self.origin = origin
        self.size = size
        self.root = root
    }

    /// Reads a note's text; further lines are extensions, which are let be.
    package init(parsing text: String) throws(DomeError) {
        let lines = text.utf8.split(separator: 0x0a, omittingEmptySubsequences: false).map { line in
            String(decoding: Array(line), as: UTF8.self)
        }
        guard lines.count >= 4, !lines[0].isEmpty, let size = Self.number(lines[1]),
            let bytes = Base64.decode(lines[2]), let root = Digest(bytes: bytes)
        else {
            throw DomeError(
                .invalidRequest, "this is no checkpoint: it has three lines, origin, size and root in base64")
        }
        self.init(origin: lines[0], size: size, root: root)
    }

    /// Three lines.
    package var text: String { "\(origin)\n\(size)\n\(Base64.encode(root.bytes))\n" }

    /// Decimal digits without leading zeros.
    static func number(_ text: String) -> UInt64? {
        guard let value = UInt64(text), String(value) == text else { return nil }
        return value
    }
}
