/// Reads what `ByteWriter` wrote, checking every bound: a short or lying message throws E_INTERNAL, it never
/// traps. Borrows its buffer, which must outlive it. Fields that later versions append are simply not read.
package struct ByteReader {
    private let buffer: UnsafeRawBufferPointer
    /// Bytes consumed so far.
    package private(set) var offset = 0

    package init(_ buffer: UnsafeRawBufferPointer) { self.buffer = buffer }

    /// Bytes not yet consumed.
    package var remaining: Int { buffer.count - offset }
    package var isAtEnd: Bool { remaining == 0 }

    /// The next `count` bytes, borrowed.
    package mutating func take(_ count: Int) throws(DomeError) -> UnsafeRawBufferPointer {
        guard count >= 0, count <= remaining else {
            throw DomeError(.internal, "message ends at byte \(buffer.count), \(count) more wanted at \(offset)")
        }
        defer { offset += count }
        return UnsafeRawBufferPointer(rebasing: buffer[offset..<(offset + count)])
    }

    package mutating func readUInt8() throws(DomeError) -> UInt8 { try take(1)[0] }

    package mutating func readBool() throws(DomeError) -> Bool { try readUInt8() != 0 }

    package mutating func readUInt16() throws(DomeError) -> UInt16 {
        UInt16(littleEndian: try take(2).loadUnaligned(as: UInt16.self))
    }

    package mutating func readUInt32() throws(DomeError) -> UInt32 {
        UInt32(littleEndian: try take(4).loadUnaligned(as: UInt32.self))
    }

    package mutating func readUInt64() throws(DomeError) -> UInt64 {
        UInt64(littleEndian: try take(8).loadUnaligned(as: UInt64.self))
    }

    package mutating func readInt32() throws(DomeError) -> Int32 { Int32(bitPattern: try readUInt32()) }

    package mutating func readInt64() throws(DomeError) -> Int64 { Int64(bitPattern: try readUInt64()) }

    /// A length-prefixed field, borrowed.
    package mutating func readBuffer() throws(DomeError) -> UnsafeRawBufferPointer {
        try take(Int(try readUInt32()))
    }

    /// A length-prefixed field, copied.
    package mutating func readBytes() throws(DomeError) -> [UInt8] { [UInt8](try readBuffer()) }

    /// A length-prefixed field that must be UTF-8.
    package mutating func readString() throws(DomeError) -> String {
        guard let text = String(validating: try readBuffer(), as: UTF8.self) else {
            throw DomeError(.internal, "message has text that is not UTF-8 before byte \(offset)")
        }
        return text
    }

    /// A count of things that take at least `minimumBytes` each: checked against what is left, so that a lying
    /// count cannot make the reader reserve memory.
    package mutating func readCount(minimumBytes: Int) throws(DomeError) -> Int {
        let count = Int(try readUInt32())
        guard count <= remaining / max(1, minimumBytes) else {
            throw DomeError(.internal, "message claims \(count) elements with \(remaining) bytes left")
        }
        return count
    }

    package mutating func readStrings() throws(DomeError) -> [String] {
        let count = try readCount(minimumBytes: 4)
        var strings: [String] = []
        strings.reserveCapacity(count)
        for _ in 0..<count { strings.append(try readString()) }
        return strings
    }

    /// A job id, which must have its exact form.
    package mutating func readJobID() throws(DomeError) -> JobID {
        guard let jobID = JobID(try readString()) else {
            throw DomeError(.internal, "message has a malformed job id before byte \(offset)")
        }
        return jobID
    }
}
