/// The part of google.protobuf.FileDescriptorProto that the code generator and reflection need. Read only: the
/// bytes that protoc made are passed on as they are.
package struct FileDescriptor: Sendable, Equatable {
    package var name = ""
    package var package = ""
    package var dependencies: [String] = []
    package var messages: [MessageDescriptor] = []
    package var enums: [EnumDescriptor] = []
    package var services: [ServiceDescriptor] = []
    package var extensions: [FieldDescriptor] = []
    package var syntax = ""
    /// Comments by the path of the element they stand at.
    package var comments: [DescriptorComment] = []

    package init(_ bytes: UnsafeRawBufferPointer) throws(ProtoError) {
        var reader = ProtoReader(bytes)
        while true {
            let tag = try reader.nextTag()
            switch tag {
            case 0: return
            case 10: name = try reader.string()
            case 18: package = try reader.string()
            case 26: dependencies.append(try reader.string())
            case 34: messages.append(try reader.element(MessageDescriptor()))
            case 42: enums.append(try reader.element(EnumDescriptor()))
            case 50: services.append(try reader.element(ServiceDescriptor()))
            case 58: extensions.append(try reader.element(FieldDescriptor()))
            case 74: try readComments(&reader)
            case 98: syntax = try reader.string()
            default: try reader.skip(tag)
            }
        }
    }

    private mutating func readComments(_ reader: inout ProtoReader) throws(ProtoError) {
        var read: [DescriptorComment] = []
        try reader.nested { reader throws(ProtoError) in
            while true {
                let tag = try reader.nextTag()
                if tag == 0 { return }
                if tag == 10 {
                    read.append(try reader.element(DescriptorComment()))
                } else {
                    try reader.skip(tag)
                }
            }
        }
        comments += read.filter { !$0.leading.isEmpty || !$0.trailing.isEmpty }
    }
}

/// Something that is read field by field; unlike a ProtoMessage it drops what it does not know.
protocol DescriptorElement {
    mutating func readField(_ tag: UInt32, from reader: inout ProtoReader) throws(ProtoError)
}

extension ProtoReader {
    mutating func element<Element: DescriptorElement>(_ initial: Element) throws(ProtoError) -> Element {
        var element = initial
        try nested { reader throws(ProtoError) in
            while true {
                let tag = try reader.nextTag()
                if tag == 0 { return }
                try element.readField(tag, from: &reader)
            }
        }
        return element
    }
}

/// A google.protobuf.SourceCodeInfo.Location that has a comment.
package struct DescriptorComment: Sendable, Equatable, DescriptorElement {
    /// Field numbers and indices from the file down, e.g. [4, 0, 2, 1]: message 0, field 1.
    package var path: [Int32] = []
    package var leading = ""
    package var trailing = ""

    mutating func readField(_ tag: UInt32, from reader: inout ProtoReader) throws(ProtoError) {
        switch tag {
        case 8: path.append(try reader.int32())
        case 10: try reader.packed(ProtoInt32.self, &path)
        case 26: leading = try reader.string()
        case 34: trailing = try reader.string()
        default: try reader.skip(tag)
        }
    }
}
