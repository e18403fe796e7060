import DomeProto

/// Writes one message as a Swift struct.
struct MessageGenerator {
    let message: MessageDescriptor
    /// With a leading dot.
    let fullName: String
    let swiftName: String
    let path: [Int32]
    let comments: CommentIndex
    /// In the order of field numbers, which is the order of encoding.
    let fields: [FieldPlan]
    private let indirectOneofs: Set<Int32>

    init(
        _ message: MessageDescriptor, fullName: String, path: [Int32], comments: CommentIndex, types: TypeIndex
    ) throws(GenerationError) {
        self.message = message
        self.fullName = fullName
        self.path = path
        self.comments = comments
        swiftName = try types.swiftName(fullName)
        var fields: [FieldPlan] = []
        for (index, field) in message.fields.enumerated() {
            fields.append(try FieldPlan(field, index: index, holder: fullName, types))
        }
        self.fields = fields
        let recursive = message.fields.filter { $0.type == 11 && types.isRecursive($0.typeName, in: fullName) }
        indirectOneofs = Set(recursive.compactMap(\.oneofIndex))
    }

    func write(to text: inout SourceText) {
        let name = String(fullName.dropFirst())
        text.comment(comments.comment(path) ?? "The message `\(name)`.")
        text.block("package struct \(swiftName): ProtoMessage") { text in
            for index in usedOneofs { writeOneofType(index, to: &text) }
            text.line("package static var protoName: String { \"\(name)\" }")
            text.line()
            writeProperties(to: &text)
            text.line("package var unknownFields: [UInt8] = []")
            text.line()
            text.line("package init() {}")
            text.line()
            writeMerge(to: &text)
            text.line()
            writeEncode(to: &text)
        }
    }

    // MARK: Oneofs

    /// The oneofs of the .proto, without those that protoc makes up for `optional`.
    private var usedOneofs: [Int] {
        var used: [Int] = []
        for case .member(let oneof) in fields.map(\.shape) where !used.contains(oneof) { used.append(oneof) }
        return used
    }

    func oneofProperty(_ index: Int) -> String {
        SwiftNames.field(message.oneofs[index])
    }

    private func members(_ oneof: Int) -> [FieldPlan] {
        fields.filter {
            if case .member(let index) = $0.shape { index == oneof } else { false }
        }
    }

    private func writeOneofType(_ index: Int, to text: inout SourceText) {
        text.comment("The choices of `\(message.oneofs[index])`.")
        let indirect = indirectOneofs.contains(Int32(index)) ? "indirect " : ""
        let type = SwiftNames.oneofType(message.oneofs[index])
        text.block("package \(indirect)enum \(type): Sendable, Equatable") { text in
            for member in members(index) {
                if let comment = comments.comment(path + [2, member.index]) { text.comment(comment) }
                text.line("case \(member.name)(\(member.spelling.type))")
            }
        }
        text.line()
    }

    // MARK: Properties

    private func writeProperties(to text: inout SourceText) {
        var written: Set<Int> = []
        for field in fields {
            if case .member(let oneof) = field.shape {
                guard written.insert(oneof).inserted else { continue }
                if let comment = comments.comment(path + [8, Int32(oneof)]) { text.comment(comment) }
                text.line("package var \(oneofProperty(oneof)): \(SwiftNames.oneofType(message.oneofs[oneof]))?")
                continue
            }
            if case .message(boxed: true) = field.shape {
                writeBoxedProperty(field, to: &text)
                continue
            }
            if let comment = comments.comment(path + [2, field.index]) { text.comment(comment) }
            text.line("package var \(field.name)\(declaration(field))")
        }
    }

    private func declaration(_ field: FieldPlan) -> String {
        switch field.shape {
        case .plain:
            // Swift infers these; the others would be Int, Double or [Any].
            ["bool", "string", "enumeration"].contains(field.spelling.method)
                ? " = \(field.spelling.defaultValue)"
                : ": \(field.spelling.type) = \(field.spelling.defaultValue)"
        case .repeated: ": [\(field.spelling.type)] = []"
        case .map(let key, let value): ": [\(key.type): \(value.type)] = [:]"
        case .optional, .message, .member: ": \(field.spelling.type)?"
        }
    }

    private func writeBoxedProperty(_ field: FieldPlan, to text: inout SourceText) {
        let bare = field.name.filter { $0 != "`" }
        if let comment = comments.comment(path + [2, field.index]) { text.comment(comment) }
        text.block("package var \(field.name): \(field.spelling.type)?") { text in
            text.line("get { \(bare)Box?.message }")
            text.line("set { \(bare)Box = newValue.map { .value($0) } }")
        }
        text.line("private var \(bare)Box: ProtoBox<\(field.spelling.type)>?")
    }
}
