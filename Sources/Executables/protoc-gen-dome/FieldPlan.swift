import DomeProto

/// How one protobuf type is spelled in Swift.
struct TypeSpelling {
    /// As a property's type.
    let type: String
    /// The runtime's codec, for packed fields and maps.
    let codec: String
    /// The method of ProtoReader and ProtoWriter.
    let method: String
    let wireType: UInt32
    let defaultValue: String
    let isMessage: Bool

    init(_ field: FieldDescriptor, _ types: TypeIndex) throws(GenerationError) {
        switch field.type {
        case 11:
            let name = try types.swiftName(field.typeName)
            self.init(name, "ProtoMessageCodec<\(name)>", "message", 2, name + "()", isMessage: true)
        case 14:
            let name = try types.swiftName(field.typeName)
            self.init(name, "ProtoEnumCodec<\(name)>", "enumeration", 0, name + "(rawValue: 0)")
        default:
            guard let row = Self.scalars[field.type] else {
                throw GenerationError(description: "field \(field.name): groups are not supported")
            }
            self.init(row.type, "Proto" + row.codec, row.codec.lowercased(), row.wireType, row.zero)
        }
    }

    private init(
        _ type: String, _ codec: String, _ method: String, _ wireType: UInt32, _ defaultValue: String,
        isMessage: Bool = false
    ) {
        self.type = type
        self.codec = codec
        self.method = method
        self.wireType = wireType
        self.defaultValue = defaultValue
        self.isMessage = isMessage
    }

    private typealias Row = (type: String, codec: String, wireType: UInt32, zero: String)

    /// By google.protobuf.FieldDescriptorProto.Type.
    private static let scalars: [Int32: Row] = [
        1: ("Double", "Double", 1, "0"), 2: ("Float", "Float", 5, "0"), 3: ("Int64", "Int64", 0, "0"),
        4: ("UInt64", "UInt64", 0, "0"), 5: ("Int32", "Int32", 0, "0"), 6: ("UInt64", "Fixed64", 1, "0"),
        7: ("UInt32", "Fixed32", 5, "0"), 8: ("Bool", "Bool", 0, "false"), 9: ("String", "String", 2, "\"\""),
        12: ("[UInt8]", "Bytes", 2, "[]"), 13: ("UInt32", "UInt32", 0, "0"), 15: ("Int32", "SFixed32", 5, "0"),
        16: ("Int64", "SFixed64", 1, "0"), 17: ("Int32", "SInt32", 0, "0"), 18: ("Int64", "SInt64", 0, "0"),
    ]
}

/// One field of a message, decided: what it is in Swift and how it lies on the wire.
struct FieldPlan {
    enum Shape {
        /// Proto3's implicit presence: the default is not written.
        case plain
        /// `optional`: nil unless set.
        case optional
        /// A singular message; `boxed` if it may hold its own holder.
        case message(boxed: Bool)
        /// Read packed or not; `packed` says how it is written, and is nil for what cannot be packed.
        case repeated(packed: Bool?)
        case map(key: TypeSpelling, value: TypeSpelling)
        /// A member of the oneof with this index.
        case member(oneof: Int)
    }

    let name: String
    let number: UInt32
    let spelling: TypeSpelling
    let shape: Shape
    /// Of the field within its message, for comments.
    let index: Int32

    init(_ field: FieldDescriptor, index: Int, holder: String, _ types: TypeIndex) throws(GenerationError) {
        name = SwiftNames.field(field.name)
        number = UInt32(field.number)
        self.index = Int32(index)
        spelling = try TypeSpelling(field, types)
        if field.isRepeated {
            shape = try Self.repeatedShape(field, spelling, types)
        } else if let oneof = field.oneofIndex, !field.isProto3Optional {
            shape = .member(oneof: Int(oneof))
        } else if spelling.isMessage {
            shape = .message(boxed: types.isRecursive(field.typeName, in: holder))
        } else {
            shape = field.isProto3Optional ? .optional : .plain
        }
    }

    private static func repeatedShape(
        _ field: FieldDescriptor, _ spelling: TypeSpelling, _ types: TypeIndex
    ) throws(GenerationError) -> Shape {
        if let entry = types.messages[field.typeName], entry.isMapEntry, entry.fields.count == 2 {
            let key = try TypeSpelling(entry.fields[0], types)
            return .map(key: key, value: try TypeSpelling(entry.fields[1], types))
        }
        if spelling.wireType == ProtoWireType.lengthDelimited { return .repeated(packed: nil) }
        return .repeated(packed: field.packed ?? true)
    }

    /// The tag of one value, and with another wire type that of the packed form.
    func tag(_ wireType: UInt32? = nil) -> UInt32 {
        number << 3 | (wireType ?? spelling.wireType)
    }

    /// The property where the methods of the struct use it: their own parameters hide some names.
    var reference: String {
        ["tag", "reader", "writer", "member", "value"].contains(name) ? "self." + name : name
    }
}
