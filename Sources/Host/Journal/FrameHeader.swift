import DomeModel
import DomePlatform

/// The fixed head of every frame: 48 bytes, little endian, with a checksum of its own, so that a reader can
/// skip from head to head without touching payloads.
struct FrameHeader: Equatable {
    static let byteCount = 48
    static let magic: UInt32 = 0x3145_4d46  // "FME1"
    /// The kind of the EXIT record. Kinds from 64 on are records: they hold no event and take no number.
    static let exitKind: UInt8 = 64
    static let firstRecordKind: UInt8 = 64
    /// The kind of the STATE record.
    static let stateKind: UInt8 = 65

    struct Flags: OptionSet {
        let rawValue: UInt16
        /// The piece's line goes on in a later frame.
        static let partial = Flags(rawValue: 1)
        /// The job's last event.
        static let terminal = Flags(rawValue: 2)
        /// The payload is whole lines, each with its newline; otherwise it is one event's payload as it stands.
        static let lines = Flags(rawValue: 4)
        /// Lines are preceded by a table of those that are progress as well.
        static let progress = Flags(rawValue: 8)
    }

    var payloadCount = 0
    var payloadChecksum: UInt32 = 0
    var kind: UInt8
    var stream: UInt8 = 0
    var flags: Flags = []
    var eventCount: UInt32 = 1
    var wallNanoseconds: Int64 = 0
    var firstSeq: UInt64 = 0
    var lineID: UInt64 = 0

    var isRecord: Bool { kind >= Self.firstRecordKind }
    /// The seq that the next frame begins with.
    var nextSeq: UInt64 { firstSeq + UInt64(eventCount) }
    /// Head, payload and the padding to a multiple of eight.
    var frameByteCount: Int { Self.byteCount + (payloadCount + 7) & ~7 }

    init(kind: UInt8) { self.kind = kind }

    /// Decodes what lies at `raw`; nil unless it is whole, its checksum fits (salted with the file's own random
    /// number: a tool cannot print something that passes for a frame) and its numbers make sense.
    init?(_ raw: UnsafeRawBufferPointer, salt: UInt32) {
        guard raw.count >= Self.byteCount, Self.load(raw, 0, UInt32.self) == Self.magic else { return nil }
        let covered = UnsafeRawBufferPointer(rebasing: raw[8..<Self.byteCount])
        guard Self.load(raw, 4, UInt32.self) == CRC32C.of(covered, continuing: salt) else { return nil }
        let count = Self.load(raw, 8, UInt32.self)
        payloadCount = Int(count)
        payloadChecksum = Self.load(raw, 12, UInt32.self)
        kind = raw[16]
        stream = raw[17]
        flags = Flags(rawValue: Self.load(raw, 18, UInt16.self))
        eventCount = Self.load(raw, 20, UInt32.self)
        wallNanoseconds = Self.load(raw, 24, Int64.self)
        firstSeq = Self.load(raw, 32, UInt64.self)
        lineID = Self.load(raw, 40, UInt64.self)
        guard payloadCount <= Self.payloadLimitBytes, firstSeq > 0, firstSeq < 1 << 62 else { return nil }
        guard isRecord ? eventCount == 0 : eventCount > 0 else { return nil }
    }

    /// A frame may hold a little more than one event's payload: lines of a read and the one begun before it.
    static let payloadLimitBytes = 2 * Journal.payloadLimitBytes

    /// Writes the 48 bytes to `raw`, which has room for them.
    func encode(to raw: UnsafeMutableRawBufferPointer, salt: UInt32) {
        func store<Value: FixedWidthInteger>(_ value: Value, _ offset: Int) {
            raw.storeBytes(of: value.littleEndian, toByteOffset: offset, as: Value.self)
        }
        store(Self.magic, 0)
        store(UInt32(clamping: payloadCount), 8)
        store(payloadChecksum, 12)
        store(kind, 16)
        store(stream, 17)
        store(flags.rawValue, 18)
        store(eventCount, 20)
        store(wallNanoseconds, 24)
        store(firstSeq, 32)
        store(lineID, 40)
        let covered = UnsafeRawBufferPointer(rebasing: raw[8..<Self.byteCount])
        store(CRC32C.of(covered, continuing: salt), 4)
    }

    private static func load<Value: FixedWidthInteger>(
        _ raw: UnsafeRawBufferPointer, _ offset: Int, _ type: Value.Type
    ) -> Value {
        Value(littleEndian: raw.loadUnaligned(fromByteOffset: offset, as: type))
    }
}
