internal import DomeModel

/// Whether a row says what its leaf says. The columns are what queries go by: one that was changed would hide an event.
struct LeafCheck {
    private static let columnNames = ["kind", "actor_uid", "job_id", "tool_id", "outcome"]
    /// The minute of the last leaf, as text and in nanoseconds: most leaves share it with the one before.
    private var minute: [UInt8] = []
    private var minuteNanoseconds: Int64 = 0
    /// Of the leaf that was looked at last: whether it has the code of a payload, and whether it says that one was erased.
    private(set) var hasPayload = false
    private(set) var isRedaction = false

    /// Nil if all is well; else what does not fit. `row` is one of `AuditVerification.columns`.
    mutating func problem(_ row: Row, leaf: UnsafeRawBufferPointer) throws(DomeError) -> String? {
        (hasPayload, isRedaction) = (false, false)
        guard var scanner = LeafScanner(leaf) else { return "it is no JSON object" }
        var seen: UInt = 0
        var problem: String?
        while problem == nil, let (name, value) = scanner.next() {
            if name.equals("seq") {
                seen |= 1
                if value.integer != row.integer(0) {
                    problem = "its leaf says that it is event \(Self.text(value)): it was inserted here, or moved"
                }
            } else if name.equals("time") {
                seen |= 2
                if nanoseconds(value) != row.integer(1) { problem = "its time is not its leaf's, \(Self.text(value))" }
            } else if name.equals("kind") {
                seen |= 4
                problem = try Self.compare(row, 2, value, "kind")
                isRedaction = value.equals("\"redacted\"")
            } else if name.equals("payload") {
                hasPayload = true
            } else if name.equals("actor") {
                seen |= 8
                if Self.userID(value) != row.integer(3) { problem = "its actor_uid is not its leaf's" }
            } else if name.equals("job_id") {
                seen |= 16
                problem = try Self.compare(row, 4, value, "job_id")
            } else if name.equals("tool_id") {
                seen |= 32
                problem = try Self.compare(row, 5, value, "tool_id")
            } else if name.equals("outcome") {
                seen |= 64
                problem = try Self.compare(row, 6, value, "outcome")
            }
        }
        if let problem { return problem }
        guard scanner.isAtEnd else { return "its leaf is no JSON of ours" }
        return Self.missing(row, seen)
    }

    /// What the leaf does not have and the row does, or what every leaf has. Leaves of before version 4 have no number.
    private static func missing(_ row: Row, _ seen: UInt) -> String? {
        for (bit, name) in [(2, "time"), (4, "kind"), (8, "actor")] as [(UInt, String)] where seen & bit == 0 {
            return "its leaf has no \(name)"
        }
        for (bit, column, name) in [(16, 4, "job_id"), (32, 5, "tool_id"), (64, 6, "outcome")]
            as [(UInt, Int32, String)]
        where seen & bit == 0 && !row.isNull(column) {
            return "it has a \(name), and its leaf has none"
        }
        return nil
    }

    private static func compare(
        _ row: Row, _ column: Int32, _ value: UnsafeRawBufferPointer, _ name: String
    ) throws(DomeError) -> String? {
        let isSame = try row.withBytes(column) { bytes in
            if let plain = value.plainString { return plain.equals(bytes) && !row.isNull(column) }
            var quoted: [UInt8] = []
            JSONText.writeString(String(decoding: bytes, as: UTF8.self), into: &quoted)
            return quoted.withUnsafeBytes { $0.equals(value) }
        }
        return isSame ? nil : "its \(name) is not its leaf's, \(text(value))"
    }

    /// `{"pid":…,"uid":…}`, maybe with more between them.
    private static func userID(_ actor: UnsafeRawBufferPointer) -> Int64? {
        guard var scanner = LeafScanner(actor) else { return nil }
        while let (name, value) = scanner.next() { if name.equals("uid") { return value.integer } }
        return nil
    }

    /// `"YYYY-MM-DDThh:mm:ss.ffffffZ"`.
    private mutating func nanoseconds(_ value: UnsafeRawBufferPointer) -> Int64? {
        guard value.count == 29, let text = value.plainString else { return nil }
        let prefix = UnsafeRawBufferPointer(rebasing: text[..<17])
        if !minute.withUnsafeBytes({ $0.equals(prefix) }) {
            guard let parsed = Timestamp.parse(String(decoding: prefix, as: UTF8.self) + "00Z") else { return nil }
            (minute, minuteNanoseconds) = (Array(prefix), parsed)
        }
        guard let seconds = UnsafeRawBufferPointer.digits(text[17..<19]),
            let microseconds = UnsafeRawBufferPointer.digits(text[20..<26]), text[19] == UInt8(ascii: "."),
            text[26] == UInt8(ascii: "Z"), seconds < 61
        else { return nil }
        let (sum, isOver) = minuteNanoseconds.addingReportingOverflow((seconds * 1_000_000 + microseconds) * 1_000)
        return isOver ? nil : sum
    }

    private static func text(_ value: UnsafeRawBufferPointer) -> String {
        String(decoding: value.prefix(80), as: UTF8.self)
    }
}

extension UnsafeRawBufferPointer {
    /// Decimal digits, leading zeros and all.
    fileprivate static func digits(_ text: Slice<UnsafeRawBufferPointer>) -> Int64? {
        var value: Int64 = 0
        for byte in text {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            value = value * 10 + Int64(byte - 0x30)
        }
        return value
    }
}
