// Room Proto: protobuf, as much of it as dome needs, and nothing else. A reader and a writer of the proto3 wire
// format, the protocol that generated messages conform to, and (beside this folder, in Generated) the messages of
// proto/ themselves. The room imports nothing, so that every layer above can carry its types. How a .proto becomes
// Swift is the business of Sources/Executables/protoc-gen-dome; what the bytes mean is
// https://protobuf.dev/programming-guides/encoding/, and where that leaves room we do as the official runtimes do:
// Tests/Contract compares the two, message by message.

/// A message of a .proto: a value that can be read from and written to the protobuf wire format.
///
/// Conforming types are generated. Reading merges, as protobuf defines it: a scalar that comes twice keeps the last
/// value, a singular message is merged, a repeated field grows. Fields that the type does not know are kept in
/// `unknownFields` and written again, so that a newer peer's data survives a pass through an older one.
package protocol ProtoMessage: Sendable, Equatable {
    /// The message with every field at its default.
    init()

    /// Fully qualified name in the .proto, e.g. `domed.v1.RpcStatus`.
    static var protoName: String { get }

    /// Fields met while reading that this type does not know: tags and values, exactly as they came.
    var unknownFields: [UInt8] { get set }

    /// Reads fields until the reader's current end, merging them into this message.
    mutating func merge(from reader: inout ProtoReader) throws(ProtoError)

    /// Appends every field that is set, in the order of field numbers, then the unknown ones.
    func encode(to writer: inout ProtoWriter)
}

extension ProtoMessage {
    /// Reads one message that fills `bytes` exactly. The result keeps no reference to `bytes`.
    package static func decode(_ bytes: UnsafeRawBufferPointer) throws(ProtoError) -> Self {
        var message = Self()
        var reader = ProtoReader(bytes)
        try message.merge(from: &reader)
        return message
    }

    /// Reads one message that fills `bytes` exactly.
    package static func decode(_ bytes: [UInt8]) throws(ProtoError) -> Self {
        // withUnsafeBytes rethrows untyped, so the outcome leaves it as a value.
        try bytes.withUnsafeBytes { buffer in
            Result { () throws(ProtoError) in try decode(buffer) }
        }.get()
    }

    /// Appends this message's wire form to `bytes`.
    package func encode(into bytes: inout [UInt8]) {
        var writer = ProtoWriter()
        swap(&writer.bytes, &bytes)
        encode(to: &writer)
        swap(&writer.bytes, &bytes)
    }

    /// This message's wire form. The same value always gives the same bytes: maps are written in key order.
    package func serialized() -> [UInt8] {
        var writer = ProtoWriter()
        encode(to: &writer)
        return writer.bytes
    }

    /// A message with the fields that `populate` sets.
    package static func with(_ populate: (inout Self) -> Void) -> Self {
        var message = Self()
        populate(&message)
        return message
    }
}

/// An enum of a .proto. Open, as proto3 has it: a number that nobody has named yet is a value like any other.
package protocol ProtoEnum: RawRepresentable, Sendable, Hashable, CustomStringConvertible where RawValue == Int32 {
    /// The value with this number, named or not.
    init(rawValue: Int32)

    /// The name in the .proto, or nil for a number without one.
    var protoName: String? { get }
}

extension ProtoEnum {
    /// The name in the .proto, or the bare number.
    package var description: String { protoName ?? String(rawValue) }
}

/// Holds a message inside a message of its own kind, which a struct cannot do directly.
package indirect enum ProtoBox<Message: ProtoMessage>: Sendable, Equatable {
    case value(Message)

    package var message: Message {
        switch self {
        case .value(let message): message
        }
    }
}
