/// google.protobuf.DescriptorProto, in part.
package struct MessageDescriptor: Sendable, Equatable, DescriptorElement {
    package var name = ""
    package var fields: [FieldDescriptor] = []
    package var extensions: [FieldDescriptor] = []
    package var nested: [MessageDescriptor] = []
    package var enums: [EnumDescriptor] = []
    package var oneofs: [String] = []
    /// Whether protoc made this message up for a map field.
    package var isMapEntry = false

    mutating func readField(_ tag: UInt32, from reader: inout ProtoReader) throws(ProtoError) {
        switch tag {
        case 10: name = try reader.string()
        case 18: fields.append(try reader.element(FieldDescriptor()))
        case 26: nested.append(try reader.element(MessageDescriptor()))
        case 34: enums.append(try reader.element(EnumDescriptor()))
        case 50: extensions.append(try reader.element(FieldDescriptor()))
        case 58: isMapEntry = try reader.element(BoolOption(number: 7)).value ?? false
        case 66: oneofs.append(try reader.element(DescriptorName()).name)
        default: try reader.skip(tag)
        }
    }
}

/// google.protobuf.FieldDescriptorProto, in part.
package struct FieldDescriptor: Sendable, Equatable, DescriptorElement {
    package var name = ""
    package var number: Int32 = 0
    package var isRepeated = false
    /// As in google.protobuf.FieldDescriptorProto.Type: 1 double ... 11 message ... 18 sint64.
    package var type: Int32 = 0
    /// With a leading dot, e.g. ".domed.v1.RpcStatus".
    package var typeName = ""
    package var oneofIndex: Int32?
    /// Declared `optional`; its oneof is protoc's invention.
    package var isProto3Optional = false
    /// The option as written; nil leaves it to the syntax.
    package var packed: Bool?

    mutating func readField(_ tag: UInt32, from reader: inout ProtoReader) throws(ProtoError) {
        switch tag {
        case 10: name = try reader.string()
        case 24: number = try reader.int32()
        case 32: isRepeated = try reader.int32() == 3
        case 40: type = try reader.int32()
        case 50: typeName = try reader.string()
        case 66: packed = try reader.element(BoolOption(number: 2)).value
        case 72: oneofIndex = try reader.int32()
        case 136: isProto3Optional = try reader.bool()
        default: try reader.skip(tag)
        }
    }
}

/// google.protobuf.EnumDescriptorProto, in part.
package struct EnumDescriptor: Sendable, Equatable, DescriptorElement {
    package struct Value: Sendable, Equatable, DescriptorElement {
        package var name = ""
        package var number: Int32 = 0

        mutating func readField(_ tag: UInt32, from reader: inout ProtoReader) throws(ProtoError) {
            switch tag {
            case 10: name = try reader.string()
            case 16: number = try reader.int32()
            default: try reader.skip(tag)
            }
        }
    }

    package var name = ""
    package var values: [Value] = []

    mutating func readField(_ tag: UInt32, from reader: inout ProtoReader) throws(ProtoError) {
        switch tag {
        case 10: name = try reader.string()
        case 18: values.append(try reader.element(Value()))
        default: try reader.skip(tag)
        }
    }
}

/// google.protobuf.ServiceDescriptorProto, in part.
package struct ServiceDescriptor: Sendable, Equatable, DescriptorElement {
    package struct Method: Sendable, Equatable, DescriptorElement {
        package var name = ""
        /// With a leading dot.
        package var inputType = ""
        package var outputType = ""
        package var clientStreaming = false
        package var serverStreaming = false

        mutating func readField(_ tag: UInt32, from reader: inout ProtoReader) throws(ProtoError) {
            switch tag {
            case 10: name = try reader.string()
            case 18: inputType = try reader.string()
            case 26: outputType = try reader.string()
            case 40: clientStreaming = try reader.bool()
            case 48: serverStreaming = try reader.bool()
            default: try reader.skip(tag)
            }
        }
    }

    package var name = ""
    package var methods: [Method] = []

    mutating func readField(_ tag: UInt32, from reader: inout ProtoReader) throws(ProtoError) {
        switch tag {
        case 10: name = try reader.string()
        case 18: methods.append(try reader.element(Method()))
        default: try reader.skip(tag)
        }
    }
}

/// A descriptor of which only the name matters.
struct DescriptorName: DescriptorElement {
    var name = ""

    mutating func readField(_ tag: UInt32, from reader: inout ProtoReader) throws(ProtoError) {
        if tag == 10 { name = try reader.string() } else { try reader.skip(tag) }
    }
}

/// An options message of which only one bool matters.
struct BoolOption: DescriptorElement {
    let number: UInt32
    var value: Bool?

    mutating func readField(_ tag: UInt32, from reader: inout ProtoReader) throws(ProtoError) {
        if tag == number << 3 { value = try reader.bool() } else { try reader.skip(tag) }
    }
}
