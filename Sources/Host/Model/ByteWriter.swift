/// Builds a binary message: little endian, variable-sized fields with a 32-bit length before them.
/// The counterpart is `ByteReader`. What travels between dome's processes and into the journal is written so.
package struct ByteWriter {
    package private(set) var bytes: [UInt8]

    /// Starts empty, with room for `capacity` bytes.
    package init(capacity: Int = 256) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    package mutating func write(_ value: UInt8) { bytes.append(value) }
    package mutating func write(_ value: Bool) { bytes.append(value ? 1 : 0) }
    package mutating func write(_ value: UInt16) { withUnsafeBytes(of: value.littleEndian) { append($0) } }
    package mutating func write(_ value: UInt32) { withUnsafeBytes(of: value.littleEndian) { append($0) } }
    package mutating func write(_ value: UInt64) { withUnsafeBytes(of: value.littleEndian) { append($0) } }
    package mutating func write(_ value: Int32) { write(UInt32(bitPattern: value)) }
    package mutating func write(_ value: Int64) { write(UInt64(bitPattern: value)) }

    /// A length-prefixed field. More than 4 GiB cannot be told and is cut; no message of ours comes near.
    package mutating func write(_ value: [UInt8]) {
        value.withUnsafeBytes { write($0) }
    }

    /// A length-prefixed field.
    package mutating func write(_ value: UnsafeRawBufferPointer) {
        let count = UInt32(clamping: value.count)
        write(count)
        append(UnsafeRawBufferPointer(rebasing: value.prefix(Int(count))))
    }

    /// A length-prefixed field of UTF-8.
    package mutating func write(_ value: String) {
        var value = value
        value.withUTF8 { write(UnsafeRawBufferPointer($0)) }
    }

    /// A count and then that many strings.
    package mutating func write(_ values: [String]) {
        write(UInt32(clamping: values.count))
        for value in values { write(value) }
    }

    /// Bytes as they are, without a length.
    package mutating func append(_ raw: UnsafeRawBufferPointer) { bytes.append(contentsOf: raw) }
}
