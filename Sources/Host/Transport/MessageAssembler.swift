/// Cuts a stream's bytes into messages. Messages that lie whole in what arrived are delivered from there,
/// without a copy; only what is incomplete, or not wanted yet, is kept.
struct MessageAssembler {
    /// Why a stream cannot go on.
    enum Failure: Equatable {
        /// Compressed flag set, though no message encoding was agreed on.
        case compressed
        case badFlag(UInt8)
        case tooLong(bytes: Int, limit: Int)
    }

    /// Told by the receiver of a message.
    enum Appetite { case more, pause }

    private var kept: [UInt8] = []
    private var start = 0
    private let maxMessageBytes: Int

    init(maxMessageBytes: Int) { self.maxMessageBytes = maxMessageBytes }

    /// Bytes held.
    var heldBytes: Int { kept.count - start }
    /// Whether everything that arrived was delivered.
    var isEmpty: Bool { start == kept.count }

    /// Keeps `bytes` without looking for messages, for a receiver that paused.
    mutating func keep(_ bytes: UnsafeRawBufferPointer) { kept.append(contentsOf: bytes) }

    /// Takes `bytes` and calls `deliver` with each message that is whole now. `deliver` must not touch the assembler.
    mutating func receive(
        _ bytes: UnsafeRawBufferPointer, deliver: (UnsafeRawBufferPointer) -> Appetite
    ) -> Failure? {
        guard isEmpty else {
            keep(bytes)
            return deliverKept(deliver)
        }
        var offset = 0
        let failure = Self.cut(bytes, &offset, maxMessageBytes, deliver)
        if failure == nil, offset < bytes.count { keep(UnsafeRawBufferPointer(rebasing: bytes[offset...])) }
        return failure
    }

    /// Delivers what is whole among the kept bytes.
    mutating func deliverKept(_ deliver: (UnsafeRawBufferPointer) -> Appetite) -> Failure? {
        var offset = start
        let failure = kept.withUnsafeBytes { Self.cut($0, &offset, maxMessageBytes, deliver) }
        start = offset
        if start == kept.count {
            kept.removeAll(keepingCapacity: kept.capacity <= 64 << 10)
            start = 0
        } else if start > 64 << 10, start > kept.count / 2 {
            kept.removeFirst(start)
            start = 0
        }
        return failure
    }

    /// Delivers from `offset` on. A message that is too long is known, and refused, by its first five bytes.
    private static func cut(
        _ bytes: UnsafeRawBufferPointer, _ offset: inout Int, _ maxMessageBytes: Int,
        _ deliver: (UnsafeRawBufferPointer) -> Appetite
    ) -> Failure? {
        while bytes.count - offset >= 5 {
            let flag = bytes[offset]
            guard flag == 0 else { return flag == 1 ? .compressed : .badFlag(flag) }
            let length = Int(UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: offset + 1, as: UInt32.self)))
            guard length <= maxMessageBytes else { return .tooLong(bytes: length, limit: maxMessageBytes) }
            guard bytes.count - offset - 5 >= length else { return nil }
            let message = UnsafeRawBufferPointer(rebasing: bytes[(offset + 5)..<(offset + 5 + length)])
            offset += 5 + length
            if deliver(message) == .pause { return nil }
        }
        return nil
    }

    /// Lends the kept bytes.
    func withKept<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        kept.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    }

    /// Hands the kept bytes over.
    mutating func takeKept() -> [UInt8] {
        var taken: [UInt8] = []
        swap(&taken, &kept)
        if start > 0 { taken.removeFirst(start) }
        start = 0
        return taken
    }

    /// Frees everything.
    mutating func clear() {
        kept = []
        start = 0
    }
}
