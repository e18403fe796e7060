extension ProtoWriter {
    package mutating func int32(_ field: UInt32, _ value: Int32) {
        tag(field, ProtoWireType.varint)
        int32(value)
    }

    package mutating func int64(_ field: UInt32, _ value: Int64) {
        tag(field, ProtoWireType.varint)
        int64(value)
    }

    package mutating func uint32(_ field: UInt32, _ value: UInt32) {
        tag(field, ProtoWireType.varint)
        uint32(value)
    }

    package mutating func uint64(_ field: UInt32, _ value: UInt64) {
        tag(field, ProtoWireType.varint)
        varint(value)
    }

    package mutating func sint32(_ field: UInt32, _ value: Int32) {
        tag(field, ProtoWireType.varint)
        sint32(value)
    }

    package mutating func sint64(_ field: UInt32, _ value: Int64) {
        tag(field, ProtoWireType.varint)
        sint64(value)
    }

    package mutating func fixed32(_ field: UInt32, _ value: UInt32) {
        tag(field, ProtoWireType.fixed32)
        fixed32Bits(value)
    }

    package mutating func fixed64(_ field: UInt32, _ value: UInt64) {
        tag(field, ProtoWireType.fixed64)
        fixed64Bits(value)
    }

    package mutating func sfixed32(_ field: UInt32, _ value: Int32) {
        fixed32(field, UInt32(bitPattern: value))
    }

    package mutating func sfixed64(_ field: UInt32, _ value: Int64) {
        fixed64(field, UInt64(bitPattern: value))
    }

    package mutating func float(_ field: UInt32, _ value: Float) {
        fixed32(field, value.bitPattern)
    }

    package mutating func double(_ field: UInt32, _ value: Double) {
        fixed64(field, value.bitPattern)
    }

    package mutating func bool(_ field: UInt32, _ value: Bool) {
        tag(field, ProtoWireType.varint)
        bytes.append(value ? 1 : 0)
    }

    package mutating func string(_ field: UInt32, _ value: String) {
        tag(field, ProtoWireType.lengthDelimited)
        string(value)
    }

    package mutating func bytes(_ field: UInt32, _ value: [UInt8]) {
        tag(field, ProtoWireType.lengthDelimited)
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    // MARK: Values without a tag

    /// Negative numbers take ten bytes: they are sign-extended to 64 bits first.
    package mutating func int32(_ value: Int32) { varint(UInt64(bitPattern: Int64(value))) }
    package mutating func int64(_ value: Int64) { varint(UInt64(bitPattern: value)) }
    package mutating func uint32(_ value: UInt32) { varint(UInt64(value)) }
    package mutating func sint32(_ value: Int32) { varint(UInt64(UInt32(bitPattern: value << 1 ^ value >> 31))) }
    package mutating func sint64(_ value: Int64) { varint(UInt64(bitPattern: value << 1 ^ value >> 63)) }

    package mutating func string(_ value: String) {
        // A native string lends its bytes; one that does not is copied by the iterator below.
        let done: Void? = value.utf8.withContiguousStorageIfAvailable { text in
            varint(UInt64(text.count))
            bytes.append(contentsOf: text)
        }
        if done == nil {
            varint(UInt64(value.utf8.count))
            bytes.append(contentsOf: value.utf8)
        }
    }
}
