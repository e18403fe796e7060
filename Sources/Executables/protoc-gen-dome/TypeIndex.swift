import DomeProto

struct GenerationError: Error, CustomStringConvertible {
    let description: String
}

/// All messages and enums of a request, by full name with a leading dot.
struct TypeIndex {
    private(set) var messages: [String: MessageDescriptor] = [:]
    private var swiftNames: [String: String] = [:]
    /// Which messages a message holds directly (not in a list or map, which are boxes by themselves).
    private var directlyHeld: [String: [String]] = [:]

    init(_ files: [FileDescriptor]) throws(GenerationError) {
        for file in files {
            let scope = file.package.isEmpty ? "." : "." + file.package + "."
            for message in file.messages { add(message, scope, file.package) }
            for item in file.enums { add(scope + item.name, file.package) }
        }
        var originals: [String: String] = [:]
        for (fullName, swiftName) in swiftNames {
            if let other = originals.updateValue(fullName, forKey: swiftName) {
                throw GenerationError(description: "\(fullName) and \(other) would both be \(swiftName) in Swift")
            }
        }
    }

    private mutating func add(_ fullName: String, _ package: String) {
        swiftNames[fullName] = SwiftNames.type(package: package, fullName: fullName)
    }

    private mutating func add(_ message: MessageDescriptor, _ scope: String, _ package: String) {
        let fullName = scope + message.name
        messages[fullName] = message
        add(fullName, package)
        directlyHeld[fullName] = message.fields.filter { $0.type == 11 && !$0.isRepeated }.map(\.typeName)
        for nested in message.nested { add(nested, fullName + ".", package) }
        for item in message.enums { add(fullName + "." + item.name, package) }
    }

    func swiftName(_ fullName: String) throws(GenerationError) -> String {
        guard let name = swiftNames[fullName] else {
            throw GenerationError(description: "unknown type \(fullName)")
        }
        return name
    }

    /// Whether a value of `held` may hold, at any depth, a value of `holder`: then `holder` must box it.
    func isRecursive(_ held: String, in holder: String) -> Bool {
        var seen: Set<String> = []
        var open = [held]
        while let name = open.popLast() {
            if name == holder { return true }
            if seen.insert(name).inserted { open += directlyHeld[name] ?? [] }
        }
        return false
    }
}

/// The comments of one file, by path.
struct CommentIndex {
    private var comments: [[Int32]: String] = [:]

    init(_ file: FileDescriptor) {
        for comment in file.comments {
            comments[comment.path] = Self.trimmed(comment.leading.isEmpty ? comment.trailing : comment.leading)
        }
    }

    func comment(_ path: [Int32]) -> String? {
        comments[path]
    }

    /// protoc leaves the space after `//` and the last line break in place.
    private static func trimmed(_ comment: String) -> String {
        var lines = comment.split(separator: "\n", omittingEmptySubsequences: false)
            .map { $0.hasPrefix(" ") ? $0.dropFirst() : $0 }
        while lines.last?.isEmpty == true { lines.removeLast() }
        return lines.joined(separator: "\n")
    }
}
