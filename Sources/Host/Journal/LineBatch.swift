import DomeModel
import Glibc

/// Whole lines on their way into a frame, whose payload is an optional table of the lines that are progress
/// too, then the lines as they came, each with its newline.
struct LineBatch {
    /// A line that makes a progress event right after its log event.
    struct Progress {
        /// Bytes of the table's entry.
        static let byteCount = 8
        /// Which line of the batch, from 0.
        var line: UInt32
        /// Where the number lies in the line.
        var start: UInt16
        var count: UInt16
    }

    private(set) var lineCount: UInt32 = 0
    private(set) var progress: [Progress] = []

    var eventCount: UInt32 { lineCount &+ UInt32(truncatingIfNeeded: progress.count) }

    /// Counts the line at `range` of `bytes`, without its newline.
    mutating func add(_ bytes: UnsafeRawBufferPointer, _ range: Range<Int>, _ stream: OutputStream) {
        if stream == .stdout, !range.isEmpty, bytes[range.lowerBound] == UInt8(ascii: "P"),
            let number = ProgressLine.number(in: UnsafeRawBufferPointer(rebasing: bytes[range]))
        {
            progress.append(
                Progress(
                    line: lineCount, start: UInt16(clamping: number.lowerBound), count: UInt16(clamping: number.count)))
        }
        lineCount &+= 1
    }

    /// Finds the newline in `bytes`, from `start`; nil if there is none.
    static func newline(in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard start < bytes.count, let base = bytes.baseAddress,
            let found = memchr(base + start, 0x0a, bytes.count - start)
        else { return nil }
        return UnsafeRawPointer(found) - base
    }
}

/// Walks over the events of one line batch. Trusts nothing: a payload that does not fit its head is damage.
struct LineBatchReader {
    private let payload: UnsafeRawBufferPointer
    private var table: UnsafeRawBufferPointer
    private let end: UInt64
    /// What comes next: this seq, this line, at this byte.
    private(set) var seq: UInt64
    private var line: UInt32 = 0
    private var offset = 0
    /// The number of the line just given, due next.
    private var pendingNumber: UnsafeRawBufferPointer?

    /// Nil if the table does not fit.
    init?(_ header: FrameHeader, _ payload: UnsafeRawBufferPointer) {
        (seq, end) = (header.firstSeq, header.nextSeq)
        (self.payload, table) = (payload, UnsafeRawBufferPointer(start: nil, count: 0))
        guard header.flags.contains(.progress) else { return }
        guard payload.count >= 4 else { return nil }
        let count = Int(UInt32(littleEndian: payload.loadUnaligned(as: UInt32.self)))
        guard count <= (payload.count - 4) / LineBatch.Progress.byteCount else { return nil }
        offset = 4 + count * LineBatch.Progress.byteCount
        table = UnsafeRawBufferPointer(rebasing: payload[4..<offset])
    }

    /// Whether every event that the head promises was given.
    var isAtEnd: Bool { seq == end }

    /// The next event; nil if the payload has fewer than its head says, or ends in mid-line.
    mutating func next() -> (kind: EventKind, payload: UnsafeRawBufferPointer)? {
        guard seq < end else { return nil }
        if let number = pendingNumber {
            pendingNumber = nil
            seq += 1
            return (.progress, number)
        }
        guard let newline = LineBatch.newline(in: payload, from: offset) else { return nil }
        let text = UnsafeRawBufferPointer(rebasing: payload[offset..<newline])
        offset = newline + 1
        if !table.isEmpty, UInt32(littleEndian: table.loadUnaligned(as: UInt32.self)) == line {
            let start = Int(UInt16(littleEndian: table.loadUnaligned(fromByteOffset: 4, as: UInt16.self)))
            let count = Int(UInt16(littleEndian: table.loadUnaligned(fromByteOffset: 6, as: UInt16.self)))
            guard start + count <= text.count else { return nil }
            pendingNumber = UnsafeRawBufferPointer(rebasing: text[start..<(start + count)])
            table = UnsafeRawBufferPointer(rebasing: table.dropFirst(LineBatch.Progress.byteCount))
        }
        line &+= 1
        seq += 1
        return (.log, text)
    }
}
