internal import DomeModel

/// Something that a tool needs on the machine beyond dome itself, as its manifest declares it. Where it is missing the
/// tool is listed as unavailable, and refused by name before anything runs.
package struct ToolRequirement: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        /// A program that the tool starts.
        case program = "programs"
        /// A module that its Python program imports.
        case pythonModule = "python"
        /// A file or folder below /usr.
        case file = "files"
    }

    package let kind: Kind
    /// Any one of these will do, the first is the usual one.
    package let names: [String]
    /// The package, as Debian calls it, that brings it.
    package let package: String
    /// Where programs are looked for, in order: the PATH of the tool's jobs.
    package let folders: [String]

    /// The requirements of a manifest, in their order. `environment` is what it fixes for every job.
    static func all(
        _ object: JSONObject, environment: [(name: String, value: String)], what: String
    ) throws(DomeError) -> [ToolRequirement] {
        let path = environment.last { $0.name == "PATH" }?.value ?? "/usr/local/bin:/usr/bin:/bin"
        let folders = path.split(separator: ":").map(String.init).filter { $0.hasPrefix("/") }
        var reader = MemberReader(object, what: what + ": requires")
        var requirements: [ToolRequirement] = []
        for kind in Kind.allCases {
            guard let value = reader.value(kind.rawValue) else { continue }
            guard let list = value.arrayValue, list.count <= 100 else {
                throw reader.fail("\"\(kind.rawValue)\" must be a list of at most 100 objects")
            }
            for (index, element) in list.enumerated() {
                let place = "\(what): requires: \(kind.rawValue)[\(index)]"
                guard let object = element.objectValue else {
                    throw DomeError(
                        .invalidRequest, "\(place) must be an object such as {\"name\": \"jq\", \"package\": \"jq\"}")
                }
                requirements.append(try ToolRequirement(kind, object, folders, what: place))
            }
        }
        try reader.finish()
        return requirements
    }

    private init(_ kind: Kind, _ object: JSONObject, _ folders: [String], what: String) throws(DomeError) {
        var reader = MemberReader(object, what: what)
        self.kind = kind
        names = [try reader.text("name", limit: 256)] + (try reader.texts("or", limit: 256))
        package = try reader.text("package", limit: 128)
        self.folders = kind == .program ? folders : []
        try reader.finish()
        for name in names where !Self.isName(name, kind) {
            switch kind {
            case .program: throw reader.fail("'\(name)' must be a program's name, without a folder")
            case .pythonModule: throw reader.fail("'\(name)' must be a module's name as Python's import takes it")
            case .file: throw reader.fail("'\(name)' must be a plain path below /usr: jobs see nothing else unasked")
            }
        }
        guard Self.isPackage(package) else {
            throw reader.fail("\"package\" must be the name of a Debian package, not '\(package)'")
        }
    }

    private static func isName(_ name: String, _ kind: Kind) -> Bool {
        let dot = UInt8(ascii: ".")
        switch kind {
        case .program:
            return name.utf8.first != dot && name.utf8.allSatisfy { isWord($0) || "+-.".utf8.contains($0) }
        case .pythonModule:
            let parts = name.utf8.split(separator: dot, omittingEmptySubsequences: false)
            return parts.allSatisfy { !$0.isEmpty && $0.allSatisfy(isWord) }
        case .file:
            return name.hasPrefix("/usr/") && PathText.isPlainRelative(String(name.dropFirst()))
        }
    }

    private static func isPackage(_ text: String) -> Bool {
        text.utf8.count >= 2 && text.utf8.first.map { $0 != UInt8(ascii: "-") && isWord($0) } == true
            && text.utf8.allSatisfy { isWord($0) && !(0x41...0x5a).contains($0) || "+-.".utf8.contains($0) }
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte) || byte == 0x5f
    }
}
