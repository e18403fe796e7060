/// Appends protobuf's wire format to a growing array.
///
/// The scalar methods write unconditionally; generated code decides what counts as set. Lengths of nested messages
/// are filled in afterwards: one byte is kept free, and the few messages of 128 bytes and more are moved up, which
/// is cheaper than measuring every message before it is written.
package struct ProtoWriter {
    /// What has been written so far.
    package var bytes: [UInt8]

    package init(bytes: [UInt8] = []) {
        self.bytes = bytes
    }

    package mutating func tag(_ field: UInt32, _ wireType: UInt32) {
        varint(UInt64(field << 3 | wireType))
    }

    package mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }

    package mutating func fixed32Bits(_ value: UInt32) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    package mutating func fixed64Bits(_ value: UInt64) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// Writes what `body` appends as one length-delimited value.
    package mutating func lengthDelimited(_ body: (inout ProtoWriter) -> Void) {
        let start = bytes.count
        bytes.append(0)
        body(&self)
        let count = bytes.count - start - 1
        if count < 0x80 {
            bytes[start] = UInt8(truncatingIfNeeded: count)
            return
        }
        var rest = UInt64(count)
        bytes[start] = UInt8(truncatingIfNeeded: rest) | 0x80
        rest >>= 7
        var tail = ProtoWriter()
        tail.varint(rest)
        bytes.insert(contentsOf: tail.bytes, at: start + 1)
    }

    // MARK: Fields

    package mutating func message<Message: ProtoMessage>(_ field: UInt32, _ message: Message) {
        tag(field, ProtoWireType.lengthDelimited)
        lengthDelimited { message.encode(to: &$0) }
    }

    package mutating func enumeration<Value: ProtoEnum>(_ field: UInt32, _ value: Value) {
        int32(field, value.rawValue)
    }

    /// Fields that an earlier reading kept.
    package mutating func unknown(_ fields: [UInt8]) {
        if !fields.isEmpty { bytes.append(contentsOf: fields) }
    }
}
