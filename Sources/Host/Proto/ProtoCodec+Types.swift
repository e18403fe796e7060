// One codec a protobuf type; the names are those of the .proto language.

package enum ProtoInt32: ProtoKeyCodec {
    package static var wireType: UInt32 { ProtoWireType.varint }
    package static var defaultValue: Int32 { 0 }

    package static func read(_ value: inout Int32, from reader: inout ProtoReader) throws(ProtoError) {
        value = try reader.int32()
    }

    package static func write(_ value: Int32, to writer: inout ProtoWriter) {
        writer.int32(value)
    }
}

package enum ProtoInt64: ProtoKeyCodec {
    package static var wireType: UInt32 { ProtoWireType.varint }
    package static var defaultValue: Int64 { 0 }

    package static func read(_ value: inout Int64, from reader: inout ProtoReader) throws(ProtoError) {
        value = try reader.int64()
    }

    package static func write(_ value: Int64, to writer: inout ProtoWriter) {
        writer.int64(value)
    }
}

package enum ProtoUInt32: ProtoKeyCodec {
    package static var wireType: UInt32 { ProtoWireType.varint }
    package static var defaultValue: UInt32 { 0 }

    package static func read(_ value: inout UInt32, from reader: inout ProtoReader) throws(ProtoError) {
        value = try reader.uint32()
    }

    package static func write(_ value: UInt32, to writer: inout ProtoWriter) {
        writer.uint32(value)
    }
}

package enum ProtoUInt64: ProtoKeyCodec {
    package static var wireType: UInt32 { ProtoWireType.varint }
    package static var defaultValue: UInt64 { 0 }

    package static func read(_ value: inout UInt64, from reader: inout ProtoReader) throws(ProtoError) {
        value = try reader.uint64()
    }

    package static func write(_ value: UInt64, to writer: inout ProtoWriter) {
        writer.varint(value)
    }
}

package enum ProtoSInt32: ProtoKeyCodec {
    package static var wireType: UInt32 { ProtoWireType.varint }
    package static var defaultValue: Int32 { 0 }

    package static func read(_ value: inout Int32, from reader: inout ProtoReader) throws(ProtoError) {
        value = try reader.sint32()
    }

    package static func write(_ value: Int32, to writer: inout ProtoWriter) {
        writer.sint32(value)
    }
}

package enum ProtoSInt64: ProtoKeyCodec {
    package static var wireType: UInt32 { ProtoWireType.varint }
    package static var defaultValue: Int64 { 0 }

    package static func read(_ value: inout Int64, from reader: inout ProtoReader) throws(ProtoError) {
        value = try reader.sint64()
    }

    package static func write(_ value: Int64, to writer: inout ProtoWriter) {
        writer.sint64(value)
    }
}

package enum ProtoFixed32: ProtoKeyCodec {
    package static var wireType: UInt32 { ProtoWireType.fixed32 }
    package static var defaultValue: UInt32 { 0 }

    package static func read(_ value: inout UInt32, from reader: inout ProtoReader) throws(ProtoError) {
        value = try reader.fixed32()
    }

    package static func write(_ value: UInt32, to writer: inout ProtoWriter) {
        writer.fixed32Bits(value)
    }
}

package enum ProtoFixed64: ProtoKeyCodec {
    package static var wireType: UInt32 { ProtoWireType.fixed64 }
    package static var defaultValue: UInt64 { 0 }

    package static func read(_ value: inout UInt64, from reader: inout ProtoReader) throws(ProtoError) {
        value = try reader.fixed64()
    }

    package static func write(_ value: UInt64, to writer: inout ProtoWriter) {
        writer.fixed64Bits(value)
    }
}

package enum ProtoSFixed32: ProtoKeyCodec {
    package static var wireType: UInt32 { ProtoWireType.fixed32 }
    package static var defaultValue: Int32 { 0 }

    package static func read(_ value: inout Int32, from reader: inout ProtoReader) throws(ProtoError) {
        value = try reader.sfixed32()
    }

    package static func write(_ value: Int32, to writer: inout ProtoWriter) {
        writer.fixed32Bits(UInt32(bitPattern: value))
    }
}

package enum ProtoSFixed64: ProtoKeyCodec {
    package static var wireType: UInt32 { ProtoWireType.fixed64 }
    package static var defaultValue: Int64 { 0 }

    package static func read(_ value: inout Int64, from reader: inout ProtoReader) throws(ProtoError) {
        value = try reader.sfixed64()
    }

    package static func write(_ value: Int64, to writer: inout ProtoWriter) {
        writer.fixed64Bits(UInt64(bitPattern: value))
    }
}

package enum ProtoFloat: ProtoCodec {
    package static var wireType: UInt32 { ProtoWireType.fixed32 }
    package static var defaultValue: Float { 0 }

    package static func isDefault(_ value: Float) -> Bool { value.bitPattern == 0 }

    package static func read(_ value: inout Float, from reader: inout ProtoReader) throws(ProtoError) {
        value = try reader.float()
    }

    package static func write(_ value: Float, to writer: inout ProtoWriter) {
        writer.fixed32Bits(value.bitPattern)
    }
}

package enum ProtoDouble: ProtoCodec {
    package static var wireType: UInt32 { ProtoWireType.fixed64 }
    package static var defaultValue: Double { 0 }

    package static func isDefault(_ value: Double) -> Bool { value.bitPattern == 0 }

    package static func read(_ value: inout Double, from reader: inout ProtoReader) throws(ProtoError) {
        value = try reader.double()
    }

    package static func write(_ value: Double, to writer: inout ProtoWriter) {
        writer.fixed64Bits(value.bitPattern)
    }
}

package enum ProtoBool: ProtoKeyCodec {
    package static var wireType: UInt32 { ProtoWireType.varint }
    package static var defaultValue: Bool { false }

    package static func precedes(_ left: Bool, _ right: Bool) -> Bool { !left && right }

    package static func read(_ value: inout Bool, from reader: inout ProtoReader) throws(ProtoError) {
        value = try reader.bool()
    }

    package static func write(_ value: Bool, to writer: inout ProtoWriter) {
        writer.varint(value ? 1 : 0)
    }
}

package enum ProtoString: ProtoKeyCodec {
    package static var wireType: UInt32 { ProtoWireType.lengthDelimited }
    package static var defaultValue: String { "" }

    package static func read(_ value: inout String, from reader: inout ProtoReader) throws(ProtoError) {
        value = try reader.string()
    }

    package static func write(_ value: String, to writer: inout ProtoWriter) {
        writer.string(value)
    }
}

package enum ProtoBytes: ProtoCodec {
    package static var wireType: UInt32 { ProtoWireType.lengthDelimited }
    package static var defaultValue: [UInt8] { [] }

    package static func read(_ value: inout [UInt8], from reader: inout ProtoReader) throws(ProtoError) {
        value = try reader.bytes()
    }

    package static func write(_ value: [UInt8], to writer: inout ProtoWriter) {
        writer.varint(UInt64(value.count))
        writer.bytes.append(contentsOf: value)
    }
}

package enum ProtoEnumCodec<Value: ProtoEnum>: ProtoCodec {
    package static var wireType: UInt32 { ProtoWireType.varint }
    package static var defaultValue: Value { Value(rawValue: 0) }

    package static func read(_ value: inout Value, from reader: inout ProtoReader) throws(ProtoError) {
        value = try reader.enumeration()
    }

    package static func write(_ value: Value, to writer: inout ProtoWriter) {
        writer.int32(value.rawValue)
    }
}

package enum ProtoMessageCodec<Value: ProtoMessage>: ProtoCodec {
    package static var wireType: UInt32 { ProtoWireType.lengthDelimited }
    package static var defaultValue: Value { Value() }

    package static func read(_ value: inout Value, from reader: inout ProtoReader) throws(ProtoError) {
        try reader.nested { reader throws(ProtoError) in try value.merge(from: &reader) }
    }

    package static func write(_ value: Value, to writer: inout ProtoWriter) {
        writer.lengthDelimited { value.encode(to: &$0) }
    }
}
