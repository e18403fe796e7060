/// What an event is about. Raw values are the journal's, not the wire's: progress travels as EVENT_TYPE_LOG.
package enum EventKind: UInt8, Sendable {
    /// Payload: a ready-made JSON object `{"from","to",…}`.
    case stateChange = 1
    /// Payload: the raw bytes of one line, without its newline.
    case log = 2
    /// Payload: a JSON number as text.
    case progress = 3
    /// Payload: a ready-made JSON object; a limit acted (truncation and the like).
    case `guard` = 4
    /// Payload: a ready-made JSON object `{"reason",…}`.
    case error = 5
    /// Payload: a ready-made JSON object that travels as EVENT_TYPE_LOG: what a plugin reports of its work.
    case report = 6
}

/// The stream a log line came from.
package enum OutputStream: UInt8, Sendable {
    case none = 0
    case stdout = 1
    case stderr = 2

    package var name: String {
        switch self {
        case .none: "none"
        case .stdout: "stdout"
        case .stderr: "stderr"
        }
    }
}

/// One event as a reader of the journal sees it. `payload` borrows the reader's buffer and is valid only
/// during the call that hands the view over.
package struct EventView {
    /// Gapless from 1 per job.
    package var seq: UInt64
    /// When the keeper (or domed) read or made it, nanoseconds since 1970, UTC.
    package var wallNanoseconds: Int64
    package var kind: EventKind
    package var stream: OutputStream
    /// Whether the line goes on in a later event with the same `lineID`.
    package var isPartial: Bool
    /// The seq of a split line's first piece, or 0 for a whole line.
    package var lineID: UInt64
    package var payload: UnsafeRawBufferPointer

    package init(
        seq: UInt64, wallNanoseconds: Int64, kind: EventKind, stream: OutputStream = .none,
        isPartial: Bool = false, lineID: UInt64 = 0, payload: UnsafeRawBufferPointer
    ) {
        self.seq = seq
        self.wallNanoseconds = wallNanoseconds
        self.kind = kind
        self.stream = stream
        self.isPartial = isPartial
        self.lineID = lineID
        self.payload = payload
    }
}

/// `PROGRESS:<number>` on a whole stdout line: a log event and, right after it, a progress event.
package enum ProgressLine {
    /// The range of the number within `line`, or nil. Spaces around the number are allowed; the number is
    /// JSON's (so it goes into a payload as it stands), optionally followed by `%`.
    package static func number(in line: UnsafeRawBufferPointer) -> Range<Int>? {
        let prefix: StaticString = "PROGRESS:"
        let prefixCount = prefix.utf8CodeUnitCount
        // 9 + 64: a longer "number" is somebody's prose.
        guard line.count > prefixCount, line.count <= prefixCount + 64, line[0] == UInt8(ascii: "P") else { return nil }
        for index in 1..<prefixCount where line[index] != prefix.utf8Start[index] { return nil }
        var start = prefixCount
        var end = line.count
        while start < end, line[start] == UInt8(ascii: " ") { start += 1 }
        while end > start, isTrailing(line[end - 1]) { end -= 1 }
        return isJSONNumber(line, start, end) ? start..<end : nil
    }

    private static func isTrailing(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: " ") || byte == UInt8(ascii: "%") || byte == UInt8(ascii: "\r")
    }

    private static func isJSONNumber(_ bytes: UnsafeRawBufferPointer, _ start: Int, _ end: Int) -> Bool {
        var index = start
        func digits() -> Int {
            let from = index
            while index < end, bytes[index] >= 0x30, bytes[index] <= 0x39 { index += 1 }
            return index - from
        }
        if index < end, bytes[index] == UInt8(ascii: "-") { index += 1 }
        let integerStart = index
        let integerDigits = digits()
        guard integerDigits > 0, integerDigits == 1 || bytes[integerStart] != UInt8(ascii: "0") else { return false }
        if index < end, bytes[index] == UInt8(ascii: ".") {
            index += 1
            guard digits() > 0 else { return false }
        }
        if index < end, bytes[index] | 0x20 == UInt8(ascii: "e") {
            index += 1
            if index < end, bytes[index] == UInt8(ascii: "+") || bytes[index] == UInt8(ascii: "-") { index += 1 }
            guard digits() > 0 else { return false }
        }
        return index == end
    }
}
