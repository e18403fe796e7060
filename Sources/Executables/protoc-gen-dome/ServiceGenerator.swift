import DomeProto

/// Writes one service as an enum without cases that holds its methods.
struct ServiceGenerator {
    let service: ServiceDescriptor
    /// Without a leading dot.
    let fullName: String
    let swiftName: String
    let path: [Int32]
    let comments: CommentIndex
    let types: TypeIndex

    func write(to text: inout SourceText) throws {
        text.comment(comments.comment(path) ?? "The service `\(fullName)`.")
        try text.block("package enum \(swiftName): ProtoService") { text in
            text.line("package static var name: String { \"\(fullName)\" }")
            text.line()
            for (index, method) in service.methods.enumerated() {
                try write(method, Int32(index), to: &text)
                text.line()
            }
            text.line("package static let methods: [ProtoMethodDescriptor] = [")
            text.indented { text in
                for method in service.methods { text.line(swiftMethod(method) + ".descriptor,") }
            }
            text.line("]")
        }
    }

    private func swiftMethod(_ method: ServiceDescriptor.Method) -> String {
        let name = SwiftNames.method(method.name)
        return name == "name" ? "name_" : name
    }

    private func write(_ method: ServiceDescriptor.Method, _ index: Int32, to text: inout SourceText) throws {
        if let comment = comments.comment(path + [2, index]) { text.comment(comment) }
        let request = try types.swiftName(method.inputType)
        let response = try types.swiftName(method.outputType)
        var arguments = "service: name, name: \"\(method.name)\""
        if method.clientStreaming { arguments += ", clientStreaming: true" }
        if method.serverStreaming { arguments += ", serverStreaming: true" }
        text.line("package static let \(swiftMethod(method)) = ProtoMethod<")
        text.indented { text in
            text.line(request + ",")
            text.line(response)
        }
        text.line(">(\(arguments))")
    }
}
