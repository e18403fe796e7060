extension ProtoReader {
    package mutating func int32() throws(ProtoError) -> Int32 { Int32(truncatingIfNeeded: try varint()) }
    package mutating func int64() throws(ProtoError) -> Int64 { Int64(bitPattern: try varint()) }
    package mutating func uint32() throws(ProtoError) -> UInt32 { UInt32(truncatingIfNeeded: try varint()) }
    package mutating func uint64() throws(ProtoError) -> UInt64 { try varint() }

    /// Zigzag: 0, -1, 1, -2, ... as 0, 1, 2, 3, ... The varint is cut to 32 bits before it is unfolded.
    package mutating func sint32() throws(ProtoError) -> Int32 {
        let folded = UInt32(truncatingIfNeeded: try varint())
        return Int32(bitPattern: folded >> 1) ^ -Int32(bitPattern: folded & 1)
    }

    package mutating func sint64() throws(ProtoError) -> Int64 {
        let folded = try varint()
        return Int64(bitPattern: folded >> 1) ^ -Int64(bitPattern: folded & 1)
    }

    package mutating func fixed32() throws(ProtoError) -> UInt32 { try fixed32Bits() }
    package mutating func fixed64() throws(ProtoError) -> UInt64 { try fixed64Bits() }
    package mutating func sfixed32() throws(ProtoError) -> Int32 { Int32(bitPattern: try fixed32Bits()) }
    package mutating func sfixed64() throws(ProtoError) -> Int64 { Int64(bitPattern: try fixed64Bits()) }
    package mutating func float() throws(ProtoError) -> Float { Float(bitPattern: try fixed32Bits()) }
    package mutating func double() throws(ProtoError) -> Double { Double(bitPattern: try fixed64Bits()) }
    package mutating func bool() throws(ProtoError) -> Bool { try varint() != 0 }

    /// A string field; bytes that are not UTF-8 are an error, never repaired.
    package mutating func string() throws(ProtoError) -> String {
        let text = try slice()
        // Nearly all text is ASCII, and `decoding` is specialised here, where `validating` is a generic call.
        if Self.isASCII(text) { return String(decoding: text, as: UTF8.self) }
        guard let string = String(validating: text, as: UTF8.self) else { throw .invalidUTF8 }
        return string
    }

    private static func isASCII(_ text: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while text.count - index >= 8 {
            let word = text.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            if word & 0x8080_8080_8080_8080 != 0 { return false }
            index += 8
        }
        while index < text.count {
            if text[index] >= 0x80 { return false }
            index += 1
        }
        return true
    }

    package mutating func bytes() throws(ProtoError) -> [UInt8] { [UInt8](try slice()) }

    /// An enum field, also with a number that has no name.
    package mutating func enumeration<Value: ProtoEnum>() throws(ProtoError) -> Value {
        Value(rawValue: try int32())
    }

    /// A singular message field: merged into what came before, if anything did.
    package mutating func message<Message: ProtoMessage>(_ message: inout Message?) throws(ProtoError) {
        var merged = message ?? Message()
        // Let go of the old value first: the copy is then unique and merging stays in place.
        message = nil
        try nested { reader throws(ProtoError) in try merged.merge(from: &reader) }
        message = merged
    }

    /// One element of a repeated message field.
    package mutating func message<Message: ProtoMessage>() throws(ProtoError) -> Message {
        var message = Message()
        try nested { reader throws(ProtoError) in try message.merge(from: &reader) }
        return message
    }
}
