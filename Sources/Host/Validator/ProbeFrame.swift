internal import DomeModel

/// What the probe and this side say to each other (Sources/Host/CProbe/frame.h): a 4-byte length, a letter, and fields
/// with a length each. What comes from the probe's process may have been written by the plugin, and is believed as far
/// as its bounds hold.
struct ProbeAnswer {
    let letter: UInt8
    private let fields: [[UInt8]]

    /// Nil for what is no answer.
    init?(_ body: ArraySlice<UInt8>) {
        guard let letter = body.first else { return nil }
        self.letter = letter
        var fields: [[UInt8]] = []
        var rest = body.dropFirst()
        while !rest.isEmpty {
            guard rest.count >= 4, fields.count < 64 else { return nil }
            let size = Int(Self.number(rest.prefix(4)))
            rest = rest.dropFirst(4)
            guard size <= rest.count else { return nil }
            fields.append(Array(rest.prefix(size)))
            rest = rest.dropFirst(size)
        }
        self.fields = fields
    }

    func bytes(_ index: Int) -> [UInt8] { index >= 0 && index < fields.count ? fields[index] : [] }
    func text(_ index: Int) -> String { String(decoding: bytes(index), as: UTF8.self) }
    func number(_ index: Int) -> UInt64 { Self.number(bytes(index).prefix(8)) }
    func bool(_ index: Int) -> Bool { number(index) != 0 }
    var count: Int { fields.count }

    /// The numbers that one field holds.
    func numbers(_ index: Int) -> [Int64] {
        let bytes = bytes(index)
        return stride(from: 0, to: bytes.count - bytes.count % 8, by: 8).map { start in
            Int64(bitPattern: Self.number(bytes[start..<(start + 8)]))
        }
    }

    private static func number(_ bytes: some Sequence<UInt8>) -> UInt64 {
        var (value, shift): (UInt64, UInt64) = (0, 0)
        for byte in bytes where shift < 64 {
            value |= UInt64(byte) << shift
            shift += 8
        }
        return value
    }
}

/// A field of a request.
enum ProbeField {
    case bytes([UInt8])
    case text(String)
    case number(Int64)

    static func request(_ letter: Character, _ fields: [ProbeField]) -> [UInt8] {
        var body: [UInt8] = [letter.asciiValue ?? 0]
        for field in fields {
            let bytes: [UInt8]
            switch field {
            case .bytes(let given): bytes = given
            case .text(let text): bytes = Array(text.utf8)
            case .number(let number): bytes = littleEndian(UInt64(bitPattern: number), count: 8)
            }
            body += littleEndian(UInt64(bytes.count), count: 4) + bytes
        }
        return littleEndian(UInt64(body.count), count: 4) + body
    }

    private static func littleEndian(_ number: UInt64, count: Int) -> [UInt8] {
        (0..<count).map { UInt8(truncatingIfNeeded: number >> UInt64($0 * 8)) }
    }
}
