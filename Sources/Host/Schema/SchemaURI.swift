/// URI references as RFC 3986 has them, for `$id` and `$ref`: taken apart and resolved, never fetched.
struct SchemaURI: Equatable {
    var scheme: String?
    var authority: String?
    var path: String
    var query: String?
    var fragment: String?

    init(_ text: String) {
        var rest = text[...]
        if let mark = rest.firstIndex(of: "#") {
            fragment = String(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        if let mark = rest.firstIndex(of: "?") {
            query = String(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        if let colon = rest.firstIndex(of: ":"), Self.isScheme(rest[..<colon]) {
            scheme = rest[..<colon].lowercased()
            rest = rest[rest.index(after: colon)...]
        }
        if rest.hasPrefix("//") {
            rest = rest.dropFirst(2)
            let end = rest.firstIndex(of: "/") ?? rest.endIndex
            authority = String(rest[..<end])
            rest = rest[end...]
        }
        path = String(rest)
    }

    private static func isScheme(_ text: Substring) -> Bool {
        guard let first = text.utf8.first, first | 0x20 >= UInt8(ascii: "a"), first | 0x20 <= UInt8(ascii: "z") else {
            return false
        }
        return text.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20) || (0x30...0x39).contains(byte)
                || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".")
        }
    }

    var isAbsolute: Bool { scheme != nil }

    /// Without its fragment: what a resource is called.
    var resource: String {
        var other = self
        other.fragment = nil
        return other.description
    }

    /// RFC 3986, section 5.2.
    func resolved(against base: SchemaURI) -> SchemaURI {
        var result = self
        guard scheme == nil else { return result.normalized() }
        result.scheme = base.scheme
        guard authority == nil else { return result.normalized() }
        result.authority = base.authority
        if path.isEmpty {
            result.path = base.path
            if query == nil { result.query = base.query }
            return result
        }
        if !path.hasPrefix("/") {
            if base.authority != nil, base.path.isEmpty {
                result.path = "/" + path
            } else {
                let folder = base.path.lastIndex(of: "/").map { base.path[...$0] } ?? ""
                result.path = folder + path
            }
        }
        return result.normalized()
    }

    private func normalized() -> SchemaURI {
        guard path.contains("."), authority != nil || path.hasPrefix("/") else { return self }
        var kept: [Substring] = []
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            switch part {
            case ".": if isLast { kept.append("") }
            case "..":
                if kept.count > 1 { kept.removeLast() }
                if isLast { kept.append("") }
            default: kept.append(part)
            }
        }
        var result = self
        result.path = kept.joined(separator: "/")
        return result
    }

    var description: String {
        var text = scheme.map { $0 + ":" } ?? ""
        if let authority { text += "//" + authority }
        text += path
        if let query { text += "?" + query }
        if let fragment { text += "#" + fragment }
        return text
    }
}
