import DomeProto

/// Writes a file's descriptor, as reflection serves it.
struct DescriptorGenerator {
    let file: GeneratorRequest.File

    /// The name of the generated constant, e.g. `domed_v1_domed`.
    var constant: String { SwiftNames.fileStem(file.descriptor.name) }

    func write(to text: inout SourceText) throws {
        let descriptor = file.descriptor
        let scope = descriptor.package.isEmpty ? "" : descriptor.package + "."
        let dependencies = descriptor.dependencies.map { "\"\($0)\"" }.joined(separator: ", ")
        let services = descriptor.services.map { "\"\(scope)\($0.name)\"" }.joined(separator: ", ")
        let bytes = try Self.withoutComments(file.bytes)
        text.block("extension ProtoFile") { text in
            text.comment("The descriptor of \(descriptor.name).")
            text.line("package static let \(constant) = ProtoFile(")
            text.indented { text in
                text.line("name: \"\(descriptor.name)\",")
                text.line("dependencies: [\(dependencies)],")
                text.line("services: [\(services)],")
                text.line("hex: \"\"\"")
                text.indented { text in
                    for line in Self.hexLines(bytes) { text.line(line) }
                    text.line("\"\"\")")
                }
            }
        }
    }

    /// The descriptor without its source_code_info, which only generators need and which is most of it.
    private static func withoutComments(_ bytes: [UInt8]) throws(ProtoError) -> [UInt8] {
        try bytes.withUnsafeBytes { buffer in
            Result { () throws(ProtoError) in
                var kept: [UInt8] = []
                var reader = ProtoReader(buffer)
                while true {
                    let tag = try reader.nextTag()
                    switch tag {
                    case 0: return kept
                    case 74: try reader.skip(tag)
                    default: try reader.keepUnknown(tag, in: &kept)
                    }
                }
            }
        }.get()
    }

    private static func hexLines(_ bytes: [UInt8]) -> [String] {
        stride(from: 0, to: bytes.count, by: 48).map { start in
            bytes[start..<min(start + 48, bytes.count)].map { byte in
                (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }.joined()
        }
    }
}
