import DomeProto

/// Writes what one .proto declares.
struct FileGenerator {
    private let file: FileDescriptor
    private let types: TypeIndex
    private let comments: CommentIndex
    private(set) var messages: [MessageGenerator] = []
    private var enums: [EnumGenerator] = []

    init(_ file: FileDescriptor, _ types: TypeIndex) throws(GenerationError) {
        guard file.syntax == "proto3" else {
            throw GenerationError(description: "\(file.name): only proto3 is supported")
        }
        self.file = file
        self.types = types
        comments = CommentIndex(file)
        let scope = file.package.isEmpty ? "." : "." + file.package + "."
        for (index, item) in file.enums.enumerated() { try add(item, scope, [5, Int32(index)]) }
        for (index, message) in file.messages.enumerated() { try add(message, scope, [4, Int32(index)]) }
    }

    private mutating func add(
        _ item: EnumDescriptor, _ scope: String, _ path: [Int32]
    ) throws(GenerationError) {
        let fullName = scope + item.name
        let swiftName = try types.swiftName(fullName)
        enums.append(
            EnumGenerator(item: item, fullName: fullName, swiftName: swiftName, path: path, comments: comments))
    }

    private mutating func add(
        _ message: MessageDescriptor, _ scope: String, _ path: [Int32]
    ) throws(GenerationError) {
        // Entries of maps are the runtime's business.
        if message.isMapEntry { return }
        let fullName = scope + message.name
        messages.append(
            try MessageGenerator(message, fullName: fullName, path: path, comments: comments, types: types))
        for (index, item) in message.enums.enumerated() { try add(item, fullName + ".", path + [4, Int32(index)]) }
        for (index, nested) in message.nested.enumerated() {
            try add(nested, fullName + ".", path + [3, Int32(index)])
        }
    }

    var hasEnums: Bool { !enums.isEmpty }

    func writeEnums(to text: inout SourceText) {
        writeSeparated(enums, to: &text) { $0.write(to: &$1) }
    }

    func writeMessages(to text: inout SourceText) {
        writeSeparated(messages, to: &text) { $0.write(to: &$1) }
    }

    func writeServices(to text: inout SourceText) throws {
        let scope = file.package.isEmpty ? "" : file.package + "."
        let services = file.services.enumerated().map { index, service in
            ServiceGenerator(
                service: service, fullName: scope + service.name,
                swiftName: SwiftNames.type(package: file.package, fullName: scope + service.name),
                path: [6, Int32(index)], comments: comments, types: types)
        }
        try writeSeparated(services, to: &text) { try $0.write(to: &$1) }
    }

    private func writeSeparated<Item>(
        _ items: [Item], to text: inout SourceText, _ write: (Item, inout SourceText) throws -> Void
    ) rethrows {
        for (index, item) in items.enumerated() {
            if index > 0 { text.line() }
            try write(item, &text)
        }
    }
}
