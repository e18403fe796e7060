/// How names of a .proto become names of Swift.
///
/// - Types: the package's components, capitalised, then the type's name and those around it, all joined by an
///   underscore: `domed.v1.RpcStatus` is `Domed_V1_RpcStatus`, and `HealthCheckResponse.ServingStatus` of
///   `grpc.health.v1` is `Grpc_Health_V1_HealthCheckResponse_ServingStatus`. Flat, so that nothing that is nested in
///   a generated struct can be mistaken for a type of Swift.
/// - Fields and methods: lower camel case, `last_seq` is `lastSeq`, `GetTool` is `getTool`.
/// - Oneofs: a property like a field, of the nested enum `<Name>Oneof`.
/// - Enum values: without the enum's name in front, `JOB_STATE_QUEUED` is `.queued`.
/// - Keywords stand in backticks; what collides with a member of the runtime's protocols ends in an underscore.
enum SwiftNames {
    /// - Parameter fullName: with or without a leading dot.
    static func type(package: String, fullName: String) -> String {
        let name = fullName.hasPrefix(".") ? String(fullName.dropFirst()) : fullName
        guard !package.isEmpty else { return name.split(separator: ".").joined(separator: "_") }
        let types = name.dropFirst(package.count + 1).split(separator: ".").map(String.init)
        return (package.split(separator: ".").map { upperCamel(String($0)) } + types).joined(separator: "_")
    }

    static func field(_ name: String) -> String {
        escaped(lowerCamel(name))
    }

    static func method(_ name: String) -> String {
        escaped(lowerFirst(name))
    }

    static func oneofType(_ name: String) -> String {
        upperCamel(name) + "Oneof"
    }

    static func enumValue(_ name: String, of enumName: String) -> String {
        let prefix = upperSnake(enumName) + "_"
        var rest = name
        if name.hasPrefix(prefix), name.count > prefix.count { rest = String(name.dropFirst(prefix.count)) }
        let camel = lowerCamel(rest.lowercased())
        return escaped(camel.first.map(\.isNumber) == true ? "_" + camel : camel)
    }

    /// `domed/v1/domed.proto` as part of a file name: `domed_v1_domed`.
    static func fileStem(_ name: String) -> String {
        let stem = name.hasSuffix(".proto") ? String(name.dropLast(6)) : name
        return String(stem.map { $0 == "/" || $0 == "-" ? "_" : $0 })
    }

    // MARK: Case

    private static func upperCamel(_ name: String) -> String {
        name.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }.joined()
    }

    private static func lowerCamel(_ name: String) -> String {
        lowerFirst(upperCamel(name))
    }

    private static func lowerFirst(_ name: String) -> String {
        name.prefix(1).lowercased() + name.dropFirst()
    }

    /// `JobState` as `JOB_STATE`.
    private static func upperSnake(_ name: String) -> String {
        var result = ""
        var previousIsLower = false
        for character in name {
            if character.isUppercase, previousIsLower { result += "_" }
            result += character.uppercased()
            previousIsLower = character.isLowercase || character.isNumber
        }
        return result
    }

    // MARK: Collisions

    private static let taken: Set<String> = [
        "protoName", "unknownFields", "merge", "encode", "decode", "serialized", "with", "rawValue", "description",
        "hashValue", "hash", "allCases", "methods", "name_", "init", "self", "Self", "Type",
    ]

    private static let keywords: Set<String> = [
        "associatedtype", "class", "deinit", "enum", "extension", "fileprivate", "func", "import", "inout", "internal",
        "let", "open", "operator", "private", "precedencegroup", "protocol", "public", "rethrows", "static", "struct",
        "subscript", "typealias", "var", "break", "case", "catch", "continue", "default", "defer", "do", "else",
        "fallthrough", "for", "guard", "if", "in", "repeat", "return", "throw", "switch", "where", "while", "as",
        "any", "await", "catch", "false", "is", "nil", "super", "throws", "true", "try",
    ]

    private static func escaped(_ name: String) -> String {
        if taken.contains(name) { return name + "_" }
        return keywords.contains(name) ? "`" + name + "`" : name
    }
}
