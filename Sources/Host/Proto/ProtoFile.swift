/// One .proto as reflection hands it out.
package struct ProtoFile: Sendable {
    /// As imported, e.g. `domed/v1/domed.proto`.
    package let name: String
    /// Names of the files it imports.
    package let dependencies: [String]
    /// Full names of its services.
    package let services: [String]
    /// A serialized google.protobuf.FileDescriptorProto, without comments.
    package let descriptor: [UInt8]

    /// - Parameter hex: the descriptor as lower-case hexadecimal digits; white space between them is ignored.
    package init(name: String, dependencies: [String], services: [String], hex: StaticString) {
        self.name = name
        self.dependencies = dependencies
        self.services = services
        descriptor = hex.withUTF8Buffer { ProtoFile.bytes(hex: $0) }
    }

    private static func bytes(hex: UnsafeBufferPointer<UInt8>) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(hex.count / 2)
        var high: UInt8?
        for character in hex where character > UInt8(ascii: " ") {
            let digit = character <= UInt8(ascii: "9") ? character & 0xf : (character & 0xf) + 9
            if let first = high {
                bytes.append(first << 4 | digit)
                high = nil
            } else {
                high = digit
            }
        }
        return bytes
    }
}

/// The descriptors of a set of .proto files, by file name and by symbol: what server reflection serves.
///
/// Immutable once made, so it may be shared between threads.
package struct ProtoFileRegistry: Sendable {
    private let filesByName: [String: ProtoFile]
    private let fileNameBySymbol: [String: String]
    /// Full names of all services, in the order of the files.
    package let services: [String]

    /// Indexes `files`. Throws if one of them holds bytes that are no descriptor.
    package init(_ files: [ProtoFile]) throws(ProtoError) {
        var filesByName: [String: ProtoFile] = [:]
        var index = SymbolIndex()
        var services: [String] = []
        for file in files {
            filesByName[file.name] = file
            services += file.services
            let descriptor = file.descriptor.withUnsafeBytes { bytes in
                Result { () throws(ProtoError) in try FileDescriptor(bytes) }
            }
            index.add(try descriptor.get())
        }
        self.filesByName = filesByName
        self.services = services
        fileNameBySymbol = index.fileNameBySymbol
    }

    /// The file of this name, followed by everything it imports, transitively; nil when there is none.
    package func files(named name: String) -> [ProtoFile]? {
        guard let first = filesByName[name] else { return nil }
        var found = [first]
        var next = 0
        while next < found.count {
            for dependency in found[next].dependencies where !found.contains(where: { $0.name == dependency }) {
                if let file = filesByName[dependency] { found.append(file) }
            }
            next += 1
        }
        return found
    }

    /// The file that declares a message, field, oneof, enum, enum value, service or method by its full name (no
    /// leading dot), followed by everything it imports; nil when nothing of that name is known.
    package func files(declaring symbol: String) -> [ProtoFile]? {
        fileNameBySymbol[symbol].flatMap { files(named: $0) }
    }
}

private struct SymbolIndex {
    private(set) var fileNameBySymbol: [String: String] = [:]

    mutating func add(_ file: FileDescriptor) {
        let scope = file.package.isEmpty ? "" : file.package + "."
        for message in file.messages { add(message, scope, file.name) }
        for item in file.enums { add(item, scope, file.name) }
        for item in file.extensions { fileNameBySymbol[scope + item.name] = file.name }
        for service in file.services {
            fileNameBySymbol[scope + service.name] = file.name
            for method in service.methods { fileNameBySymbol[scope + service.name + "." + method.name] = file.name }
        }
    }

    private mutating func add(_ message: MessageDescriptor, _ scope: String, _ file: String) {
        let name = scope + message.name
        fileNameBySymbol[name] = file
        for field in message.fields + message.extensions { fileNameBySymbol[name + "." + field.name] = file }
        for oneof in message.oneofs { fileNameBySymbol[name + "." + oneof] = file }
        for nested in message.nested { add(nested, name + ".", file) }
        for item in message.enums { add(item, name + ".", file) }
    }

    /// An enum's values are named in the scope around the enum, as in C.
    private mutating func add(_ item: EnumDescriptor, _ scope: String, _ file: String) {
        fileNameBySymbol[scope + item.name] = file
        for value in item.values { fileNameBySymbol[scope + value.name] = file }
    }
}
