import DomeProto

/// Writes one enum as a Swift struct around its number, open as proto3's enums are.
struct EnumGenerator {
    let item: EnumDescriptor
    /// With a leading dot.
    let fullName: String
    let swiftName: String
    let path: [Int32]
    let comments: CommentIndex

    func write(to text: inout SourceText) {
        text.comment(comments.comment(path) ?? "The enum `\(fullName.dropFirst())`.")
        text.block("package struct \(swiftName): ProtoEnum, CaseIterable") { text in
            text.line("package let rawValue: Int32")
            text.line()
            text.line("package init(rawValue: Int32) { self.rawValue = rawValue }")
            text.line()
            for (index, value) in item.values.enumerated() {
                if let comment = comments.comment(path + [2, Int32(index)]) { text.comment(comment) }
                text.line("package static var \(swiftValue(value)): Self { Self(rawValue: \(value.number)) }")
            }
            text.line()
            writeAllCases(to: &text)
            text.line()
            writeNames(to: &text)
        }
    }

    /// Without aliases: the first name of a number is the one that counts.
    private var distinctValues: [EnumDescriptor.Value] {
        var seen: Set<Int32> = []
        return item.values.filter { seen.insert($0.number).inserted }
    }

    private func swiftValue(_ value: EnumDescriptor.Value) -> String {
        SwiftNames.enumValue(value.name, of: item.name)
    }

    private func writeAllCases(to text: inout SourceText) {
        text.comment("The values with a name.")
        text.block("package static var allCases: [Self]") { text in
            text.line("[")
            text.indented { text in
                for value in distinctValues { text.line("." + swiftValue(value) + ",") }
            }
            text.line("]")
        }
    }

    private func writeNames(to text: inout SourceText) {
        text.block("package var protoName: String?") { text in
            text.line("switch rawValue {")
            for value in distinctValues { text.line("case \(value.number): \"\(value.name)\"") }
            text.line("default: nil")
            text.line("}")
        }
    }
}
