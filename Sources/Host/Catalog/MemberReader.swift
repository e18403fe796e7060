import DomeModel

/// Takes the members of a JSON object one by one and, at the end, refuses those that nobody took: a misspelt
/// member must not silently change what a tool may do.
struct MemberReader {
    private let object: JSONObject
    /// Names the document, and the place in it, for errors.
    let what: String
    private var taken: [String] = []

    init(_ object: JSONObject, what: String) {
        self.object = object
        self.what = what
    }

    func fail(_ reason: String) -> DomeError { DomeError(.invalidRequest, "\(what): \(reason)") }

    /// The member as it stands, or nil.
    mutating func value(_ name: String) -> JSONValue? {
        taken.append(name)
        return object[name]
    }

    mutating func optionalText(_ name: String, limit: Int, mayHaveLines: Bool = false) throws(DomeError) -> String? {
        guard let value = value(name) else { return nil }
        guard let text = value.stringValue, !text.isEmpty else { throw fail("\"\(name)\" must be a non-empty text") }
        guard text.utf8.count <= limit else { throw fail("\"\(name)\" is longer than \(limit) bytes") }
        // Control characters would drive the terminal of whoever lists tools.
        let isClean = text.unicodeScalars.allSatisfy { scalar in
            scalar.value >= 0x20 && !(0x7f..<0xa0).contains(scalar.value) || mayHaveLines && scalar == "\n"
        }
        guard isClean else { throw fail("\"\(name)\" holds control characters") }
        return text
    }

    mutating func text(_ name: String, limit: Int, mayHaveLines: Bool = false) throws(DomeError) -> String {
        guard let text = try optionalText(name, limit: limit, mayHaveLines: mayHaveLines) else {
            throw fail("\"\(name)\" is missing")
        }
        return text
    }

    mutating func texts(_ name: String, limit: Int) throws(DomeError) -> [String] {
        guard let value = value(name) else { return [] }
        guard let list = value.arrayValue, list.count <= 100 else {
            throw fail("\"\(name)\" must be a list of at most 100 texts")
        }
        var texts: [String] = []
        for (index, element) in list.enumerated() {
            var reader = MemberReader(["\(name)[\(index)]": element], what: what)
            texts.append(try reader.text("\(name)[\(index)]", limit: limit))
        }
        return texts
    }

    mutating func flag(_ name: String) throws(DomeError) -> Bool? {
        guard let value = value(name) else { return nil }
        guard let flag = value.boolValue else { throw fail("\"\(name)\" must be true or false") }
        return flag
    }

    mutating func number(_ name: String, _ range: ClosedRange<UInt64>) throws(DomeError) -> UInt64? {
        guard let value = value(name) else { return nil }
        guard let number = value.integerValue.flatMap(UInt64.init(exactly:)), range.contains(number) else {
            throw fail("\"\(name)\" must be a whole number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    mutating func object(_ name: String) throws(DomeError) -> JSONObject? {
        guard let value = value(name) else { return nil }
        guard let object = value.objectValue else { throw fail("\"\(name)\" must be an object") }
        return object
    }

    mutating func permissions(_ name: String) throws(DomeError) -> [Permission] {
        var permissions: [Permission] = []
        for text in try texts(name, limit: 4096) {
            let permission: Permission
            do throws(DomeError) {
                permission = try Permission(parsing: text)
            } catch {
                throw fail("\"\(name)\": \(error.message)")
            }
            guard !permissions.contains(permission) else { throw fail("\"\(name)\" has \(permission) twice") }
            permissions.append(permission)
        }
        return permissions
    }

    /// Refuses what was not taken; names that begin with `x-` are the author's own.
    func finish() throws(DomeError) {
        for name in object.keys where !taken.contains(name) && !name.hasPrefix("x-") {
            let known = taken.joined(separator: ", ")
            throw fail(
                "unknown member \"\(Self.printable(name))\"; known are \(known), and your own with the prefix x-")
        }
    }

    private static func printable(_ name: String) -> String {
        String(String.UnicodeScalarView(name.unicodeScalars.prefix(64).filter { $0.value >= 0x20 && $0.value != 0x7f }))
    }
}
