internal import Glibc

/// Framed bytes of one stream that wait to be sent. Whole arrays are kept as they were handed over; small
/// messages are gathered into one.
struct OutboundQueue {
    private var chunks: [[UInt8]] = []
    private var head = 0
    private var headOffset = 0
    private(set) var count = 0
    /// Whether the last chunk is this queue's own, so that more may be gathered there.
    private var lastIsOwn = false

    private static let gatherBytes = 32 << 10

    /// Adds one message with its 5-byte prefix (PROTOCOL-HTTP2.md, "Length-Prefixed-Message").
    mutating func append(message: UnsafeRawBufferPointer) {
        let total = message.count + 5
        if lastIsOwn, let last = chunks.indices.last, chunks[last].count + total <= Self.gatherBytes {
            Self.appendFramed(message, to: &chunks[last])
        } else {
            var chunk: [UInt8] = []
            // A second message of a stream announces more: make room for them.
            chunk.reserveCapacity(lastIsOwn ? max(total, Self.gatherBytes) : total)
            Self.appendFramed(message, to: &chunk)
            chunks.append(chunk)
            lastIsOwn = true
        }
        count += total
    }

    private static func appendFramed(_ message: UnsafeRawBufferPointer, to chunk: inout [UInt8]) {
        let length = UInt32(truncatingIfNeeded: message.count)
        chunk.append(0)
        for shift: UInt32 in [24, 16, 8, 0] { chunk.append(UInt8(truncatingIfNeeded: length >> shift)) }
        chunk.append(contentsOf: message)
    }

    /// Adds messages that carry their prefixes already.
    mutating func append(framed bytes: consuming [UInt8]) {
        guard !bytes.isEmpty else { return }
        count += bytes.count
        chunks.append(bytes)
        lastIsOwn = false
    }

    /// Moves the first `length` bytes (at most `count`) to `output`.
    mutating func move(_ length: Int, to output: OutputBuffer) {
        var left = min(length, count)
        count -= left
        while left > 0, head < chunks.count {
            let available = chunks[head].count - headOffset
            let taken = min(left, available)
            chunks[head].withUnsafeBytes { bytes in
                output.append(UnsafeRawBufferPointer(rebasing: bytes[headOffset..<(headOffset + taken)]))
            }
            left -= taken
            headOffset += taken
            if taken == available {
                chunks[head] = []
                head += 1
                headOffset = 0
            }
        }
        if head == chunks.count {
            chunks.removeAll(keepingCapacity: true)
            head = 0
            lastIsOwn = false
        } else if head >= 64 {
            chunks.removeFirst(head)
            head = 0
        }
    }

    /// Forgets everything.
    mutating func clear() { self = OutboundQueue() }
}

/// Bytes on their way to a socket. Taken from a pool for a flush and given back when they are gone.
final class OutputBuffer {
    private(set) var base: UnsafeMutableRawPointer
    private var capacity: Int
    private(set) var count = 0
    /// How many of them the socket took.
    private(set) var sent = 0

    init(capacity: Int) {
        base = .allocate(byteCount: capacity, alignment: 16)
        self.capacity = capacity
    }

    deinit { base.deallocate() }

    func append(_ bytes: UnsafeRawBufferPointer) {
        guard let source = bytes.baseAddress else { return }
        if count + bytes.count > capacity { grow(to: count + bytes.count) }
        memcpy(base + count, source, bytes.count)
        count += bytes.count
    }

    private func grow(to needed: Int) {
        let larger = max(needed, capacity * 2)
        let replacement = UnsafeMutableRawPointer.allocate(byteCount: larger, alignment: 16)
        memcpy(replacement, base, count)
        base.deallocate()
        base = replacement
        capacity = larger
    }

    var isEmpty: Bool { sent == count }

    /// What sending it came to.
    enum Outcome { case done, blocked, failed }

    /// Sends as much as the socket takes.
    func send(to socket: Int32) -> Outcome {
        while sent < count {
            let taken = Glibc.send(socket, base + sent, count - sent, Int32(MSG_NOSIGNAL))
            if taken >= 0 {
                sent += taken
            } else if errno == EAGAIN {
                return .blocked
            } else if errno != EINTR {
                return .failed
            }
        }
        reset()
        return .done
    }

    func reset() {
        count = 0
        sent = 0
    }
}

/// What all connections of one server share: the receive buffer, output buffers, the inbound budget.
final class SharedBuffers {
    static let inputBytes = 256 << 10
    static let outputBytes = 256 << 10

    let input = UnsafeMutableRawBufferPointer.allocate(byteCount: inputBytes, alignment: 16)
    private var free: [OutputBuffer] = []
    /// Bytes held for incomplete or unread messages, over all streams.
    var inboundBytes = 0

    deinit { input.deallocate() }

    func takeOutput() -> OutputBuffer { free.popLast() ?? OutputBuffer(capacity: Self.outputBytes + (96 << 10)) }

    func giveBack(_ buffer: OutputBuffer) {
        buffer.reset()
        if free.count < 2 { free.append(buffer) }
    }
}
