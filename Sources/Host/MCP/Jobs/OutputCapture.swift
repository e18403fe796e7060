internal import DomeClient
internal import DomeModel

/// A job's output as a result can hold it.
struct OutputCapture: Sendable {
    /// What to do when there is more than fits.
    enum Excess: Sendable {
        /// Keep beginning and end: for a job as a whole.
        case cutMiddle
        /// Stop there: for a reader who comes again for the rest.
        case stop
    }

    private let limit: Int
    private let excess: Excess
    private var stdout: HeadTail
    private var stderr: HeadTail
    /// What has come so far, as JSON has it: both streams, and errors alone.
    private var jsonBytes = 0
    private var errorBytes = 0
    /// Whether the limit of a capture that stops is reached.
    private(set) var isFull = false
    /// The last event up to which everything is shown from the beginning.
    private(set) var wholeUntilSeq: UInt64

    /// At most `limit` bytes of JSON in all, about.
    init(limit: Int, excess: Excess, sinceSeq: UInt64) {
        (self.limit, self.excess, wholeUntilSeq) = (limit, excess, sinceSeq)
        stdout = HeadTail(limit: limit)
        stderr = HeadTail(limit: limit)
    }

    /// False: there is no room any more for this event, which is not taken.
    mutating func take(_ log: LogPayload, seq: UInt64) -> Bool {
        var line = log.line
        if !log.isPartial { line.append(0x0a) }
        let size = JSONSize.ofBytes(line)
        if case .stop = excess, jsonBytes + size > limit, jsonBytes > 0 {
            isFull = true
            return false
        }
        jsonBytes += size
        if log.stream == .stderr {
            stderr.append(line)
            errorBytes += size
        } else {
            stdout.append(line)
        }
        // However the limit is shared out and where lines end: so much of the beginning is always shown.
        if jsonBytes <= limit / 16 { wholeUntilSeq = seq }
        return true
    }

    struct Text: Sendable {
        var stdout: String
        var stderr: String
        var isCut: Bool
    }

    /// Both streams within the limit; errors get a quarter of it, and what the other leaves.
    func text() -> Text {
        let (errors, errorsAreCut) = stderr.text(limit: max(limit / 4, limit - (jsonBytes - errorBytes)))
        let left = max(limit / 4, limit - JSONSize.of(errors))
        let (output, outputIsCut) = stdout.text(limit: left)
        return Text(stdout: output, stderr: errors, isCut: errorsAreCut || outputIsCut)
    }
}

/// The beginning and the end of a stream of bytes.
struct HeadTail: Sendable {
    private let limit: Int
    private var head: [UInt8] = []
    private var tail: [UInt8] = []
    /// How many bytes there were in all.
    private(set) var total = 0

    init(limit: Int) { self.limit = limit }

    mutating func append(_ bytes: [UInt8]) {
        total += bytes.count
        let room = limit - head.count
        if room > 0, tail.isEmpty {
            head.append(contentsOf: bytes.prefix(room))
            guard bytes.count > room else { return }
            tail.append(contentsOf: bytes.dropFirst(room))
        } else {
            tail.append(contentsOf: bytes)
        }
        // Seldom, so that each byte is moved about once.
        if tail.count > 2 * limit { tail.removeFirst(tail.count - limit) }
    }

    /// The whole if it fits into `limit` bytes of JSON, else beginning and end with a line between them that says how
    /// much is left out.
    func text(limit: Int) -> (String, isCut: Bool) {
        if total == head.count {
            let whole = String(decoding: head, as: UTF8.self)
            if JSONSize.of(whole) <= limit { return (whole, false) }
        }
        let beginning = JSONSize.prefix(String(decoding: head, as: UTF8.self), limit / 2)
        let rest = tail.isEmpty ? head : head.suffix(max(0, limit - tail.count)) + tail
        let end = JSONSize.suffix(String(decoding: rest, as: UTF8.self), limit / 2)
        let omitted = max(0, total - beginning.utf8.count - end.utf8.count)
        return (beginning + "\n[… \(omitted) bytes are left out …]\n" + end, true)
    }
}

/// How long text gets in JSON.
enum JSONSize {
    private static func of(_ scalar: Unicode.Scalar) -> Int {
        switch scalar.value {
        case 0x22, 0x5c, 0x08, 0x09, 0x0a, 0x0c, 0x0d: 2
        case 0..<0x20: 6
        default: UTF8.width(scalar)
        }
    }

    /// The same for bytes that need not be UTF-8; never less than what they become.
    static func ofBytes(_ bytes: [UInt8]) -> Int {
        var size = 0
        for byte in bytes {
            switch byte {
            case 0x22, 0x5c, 0x08, 0x09, 0x0a, 0x0c, 0x0d: size += 2
            case 0..<0x20: size += 6
            case 0x80...: size += 3
            default: size += 1
            }
        }
        return size
    }

    static func of(_ text: String) -> Int {
        var size = 0
        for scalar in text.unicodeScalars { size += of(scalar) }
        return size
    }

    /// As much of the beginning as fits, up to a whole line if one ends in its second half.
    static func prefix(_ text: String, _ limit: Int) -> String {
        var (size, end, lineEnd) = (0, text.startIndex, text.startIndex)
        for index in text.unicodeScalars.indices {
            size += of(text.unicodeScalars[index])
            guard size <= limit else { break }
            end = text.unicodeScalars.index(after: index)
            if text.unicodeScalars[index] == "\n", size > limit / 2 { lineEnd = end }
        }
        return String(text[..<(lineEnd > text.startIndex ? lineEnd : end)])
    }

    /// As much of the end as fits, from the beginning of a line if one begins in its first half.
    static func suffix(_ text: String, _ limit: Int) -> String {
        var (size, start, lineStart) = (0, text.endIndex, text.endIndex)
        for index in text.unicodeScalars.indices.reversed() {
            size += of(text.unicodeScalars[index])
            guard size <= limit else { break }
            if text.unicodeScalars[index] == "\n", size > limit / 2 { lineStart = start }
            start = index
        }
        return String(text[(lineStart < text.endIndex ? lineStart : start)...])
    }
}
