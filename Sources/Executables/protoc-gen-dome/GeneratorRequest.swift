import DomeProto

/// google.protobuf.compiler.CodeGeneratorRequest.
struct GeneratorRequest {
    /// A file as protoc sent it, and as it is understood here.
    struct File {
        let bytes: [UInt8]
        let descriptor: FileDescriptor
    }

    var filesToGenerate: [String] = []
    /// What `--dome_opt` says, comma-separated.
    var parameter = ""
    /// The files to generate and all they import, imports first.
    var files: [File] = []

    static func decode(_ bytes: [UInt8]) throws(ProtoError) -> GeneratorRequest {
        try bytes.withUnsafeBytes { buffer in
            Result { () throws(ProtoError) in try decode(buffer) }
        }.get()
    }

    private static func decode(_ bytes: UnsafeRawBufferPointer) throws(ProtoError) -> GeneratorRequest {
        var request = GeneratorRequest()
        var reader = ProtoReader(bytes)
        while true {
            let tag = try reader.nextTag()
            switch tag {
            case 0: return request
            case 10: request.filesToGenerate.append(try reader.string())
            case 18: request.parameter = try reader.string()
            case 122:
                let file = try reader.slice()
                request.files.append(File(bytes: [UInt8](file), descriptor: try FileDescriptor(file)))
            default: try reader.skip(tag)
            }
        }
    }
}

/// google.protobuf.compiler.CodeGeneratorResponse.
struct GeneratorResponse {
    struct File {
        let name: String
        let content: String
    }

    var error: String?
    var files: [File] = []

    /// FEATURE_PROTO3_OPTIONAL; protoc refuses files with `optional` otherwise.
    private static let supportedFeatures: UInt64 = 1

    func serialized() -> [UInt8] {
        var writer = ProtoWriter()
        if let error { writer.string(1, error) }
        writer.uint64(2, Self.supportedFeatures)
        for file in files {
            writer.tag(15, ProtoWireType.lengthDelimited)
            writer.lengthDelimited { writer in
                writer.string(1, file.name)
                writer.string(15, file.content)
            }
        }
        return writer.bytes
    }
}
