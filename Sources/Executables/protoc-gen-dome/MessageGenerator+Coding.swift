import DomeProto

extension MessageGenerator {
    // MARK: Reading

    func writeMerge(to text: inout SourceText) {
        text.block("package mutating func merge(from reader: inout ProtoReader) throws(ProtoError)") { text in
            text.block("while true") { text in
                text.line("let tag = try reader.nextTag()")
                text.line("switch tag {")
                text.line("case 0: return")
                for field in fields { writeRead(field, to: &text) }
                text.line("default: try reader.keepUnknown(tag, in: &unknownFields)")
                text.line("}")
            }
        }
    }

    private func writeRead(_ field: FieldPlan, to text: inout SourceText) {
        let property = field.reference
        let read = "try reader.\(field.spelling.method)()"
        switch field.shape {
        case .plain, .optional:
            text.line("case \(field.tag()): \(property) = \(read)")
        case .message:
            text.line("case \(field.tag()): try reader.message(&\(property))")
        case .repeated(let packed):
            text.line("case \(field.tag()): \(property).append(\(read))")
            if packed != nil {
                let call = "try reader.packed(\(field.spelling.codec).self, &\(property))"
                text.line("case \(field.tag(ProtoWireType.lengthDelimited)): \(call)")
            }
        case .map(let key, let value):
            let codecs = "\(key.codec).self, \(value.codec).self"
            text.line("case \(field.tag()): try reader.mapEntry(\(codecs), &\(property))")
        case .member(let oneof):
            writeReadMember(field, oneofProperty(oneof), to: &text)
        }
    }

    private func writeReadMember(_ field: FieldPlan, _ property: String, to text: inout SourceText) {
        guard field.spelling.isMessage else {
            let read = "try reader.\(field.spelling.method)()"
            text.line("case \(field.tag()): self.\(property) = .\(field.name)(\(read))")
            return
        }
        text.line("case \(field.tag()):")
        text.indented { text in
            text.line("var member: \(field.spelling.type)?")
            text.line("if case .\(field.name)(let earlier) = self.\(property) { member = earlier }")
            // One owner at a time, lest merging into it copy it.
            text.line("self.\(property) = nil")
            text.line("try reader.message(&member)")
            text.line("self.\(property) = member.map { .\(field.name)($0) }")
        }
    }

    // MARK: Writing

    func writeEncode(to text: inout SourceText) {
        text.block("package func encode(to writer: inout ProtoWriter)") { text in
            for field in fields.sorted(by: { $0.number < $1.number }) { writeWrite(field, to: &text) }
            text.line("writer.unknown(unknownFields)")
        }
    }

    private func writeWrite(_ field: FieldPlan, to text: inout SourceText) {
        let property = field.reference
        let write = "writer.\(field.spelling.method)"
        switch field.shape {
        case .plain:
            text.line("if \(isSet(field)) { \(write)(\(field.number), \(property)) }")
        case .optional, .message:
            text.line("if let value = \(property) { \(write)(\(field.number), value) }")
        case .repeated(packed: true):
            text.line("writer.packed(\(field.spelling.codec).self, \(field.number), \(property))")
        case .repeated:
            text.line("for value in \(property) { \(write)(\(field.number), value) }")
        case .map(let key, let value):
            text.line("writer.map(\(key.codec).self, \(value.codec).self, \(field.number), \(property))")
        case .member(let oneof):
            let condition = "if case .\(field.name)(let value) = self.\(oneofProperty(oneof))"
            text.line("\(condition) { \(write)(\(field.number), value) }")
        }
    }

    private func isSet(_ field: FieldPlan) -> String {
        switch field.spelling.method {
        case "bool": field.reference
        case "string", "bytes": "!\(field.reference).isEmpty"
        case "enumeration": "\(field.reference).rawValue != 0"
        // Bit by bit: a negative zero is written.
        case "float", "double": "\(field.reference).bitPattern != 0"
        default: "\(field.reference) != 0"
        }
    }
}
