/// Why bytes are not a protobuf message.
///
/// Carries positions in the structure only, never the bytes themselves: those are foreign and may be secret.
package enum ProtoError: Error, Equatable, Sendable, CustomStringConvertible {
    /// A value runs past the end of its message, or the message past the end of its bytes.
    case truncated
    /// A varint of more than ten bytes, or a tag or length that does not fit its type.
    case malformedVarint
    /// Field number 0, or a wire type that does not exist.
    case invalidTag(UInt32)
    /// A packed field whose length is no multiple of its element's size.
    case invalidPackedLength
    /// A group that ends without having begun, or with another field number.
    case unmatchedEndGroup(field: UInt32)
    /// Messages nested deeper than `ProtoReader.nestingLimit`.
    case nestedTooDeeply
    /// A string field whose bytes are not UTF-8.
    case invalidUTF8

    package var description: String {
        switch self {
        case .truncated: "truncated protobuf message"
        case .malformedVarint: "malformed varint in protobuf message"
        case .invalidTag(let tag): "invalid protobuf tag \(tag)"
        case .invalidPackedLength: "packed protobuf field of uneven length"
        case .unmatchedEndGroup(let field): "protobuf group \(field) ends where it should not"
        case .nestedTooDeeply: "protobuf message nested deeper than \(ProtoReader.nestingLimit) levels"
        case .invalidUTF8: "protobuf string field is not UTF-8"
        }
    }
}

/// How a value lies on the wire: the low three bits of its tag.
package enum ProtoWireType {
    package static let varint: UInt32 = 0
    package static let fixed64: UInt32 = 1
    package static let lengthDelimited: UInt32 = 2
    package static let startGroup: UInt32 = 3
    package static let endGroup: UInt32 = 4
    package static let fixed32: UInt32 = 5
}
