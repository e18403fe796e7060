/// RFC 3986, RFC 3987 for characters beyond ASCII, RFC 6570 for templates.
enum URIFormat {
    private static let subDelimiters = Set("!$&'()*+,;=".utf8)
    private static let unreservedMarks = Set("-._~".utf8)

    static func isURI(_ text: ArraySlice<UInt8>, isInternational: Bool, mayBeRelative: Bool) -> Bool {
        guard isInternational ? hasOnlyIRIScalars(text) : text.allSatisfy({ $0 < 0x80 }) else { return false }
        var rest = text
        if let mark = rest.firstIndex(of: UInt8(ascii: "#")) {
            guard isText(rest[(mark + 1)...], and: ":@/?") else { return false }
            rest = rest[..<mark]
        }
        if let mark = rest.firstIndex(of: UInt8(ascii: "?")) {
            guard isText(rest[(mark + 1)...], and: ":@/?") else { return false }
            rest = rest[..<mark]
        }
        var hasScheme = false
        if let colon = rest.firstIndex(of: UInt8(ascii: ":")), !rest[..<colon].contains(UInt8(ascii: "/")) {
            // A relative path must not look like a scheme.
            guard isScheme(rest[..<colon]) else { return false }
            hasScheme = true
            rest = rest[(colon + 1)...]
        }
        guard hasScheme || mayBeRelative else { return false }
        if rest.starts(with: "//".utf8) {
            let hierarchy = rest.dropFirst(2)
            let end = hierarchy.firstIndex(of: UInt8(ascii: "/")) ?? hierarchy.endIndex
            guard isAuthority(hierarchy[..<end]) else { return false }
            rest = hierarchy[end...]
        }
        return isText(rest, and: ":@/")
    }

    private static func isScheme(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.first?.isLetter == true else { return false }
        return text.allSatisfy { $0.isLetter || $0.isDigit || [0x2b, 0x2d, 0x2e].contains($0) }
    }

    /// Unreserved characters, sub-delimiters, percent escapes and `others`.
    private static func isText(_ text: ArraySlice<UInt8>, and others: String) -> Bool {
        var rest = text
        while let byte = rest.popFirst() {
            if byte.isLetter || byte.isDigit || byte >= 0x80 { continue }
            if byte == UInt8(ascii: "%") {
                guard rest.popFirst()?.isHexDigit == true, rest.popFirst()?.isHexDigit == true else { return false }
                continue
            }
            guard unreservedMarks.contains(byte) || subDelimiters.contains(byte) || others.utf8.contains(byte) else {
                return false
            }
        }
        return true
    }

    private static func isAuthority(_ text: ArraySlice<UInt8>) -> Bool {
        var rest = text
        if let at = rest.firstIndex(of: UInt8(ascii: "@")) {
            guard isText(rest[..<at], and: ":") else { return false }
            rest = rest[(at + 1)...]
        }
        if rest.first == UInt8(ascii: "[") {
            guard let end = rest.firstIndex(of: UInt8(ascii: "]")) else { return false }
            guard isLiteral(rest[rest.startIndex + 1..<end]) else { return false }
            rest = rest[(end + 1)...]
            guard rest.isEmpty || rest.take(":") else { return false }
            return rest.allSatisfy(\.isDigit)
        }
        if let colon = rest.firstIndex(of: UInt8(ascii: ":")) {
            guard rest[(colon + 1)...].allSatisfy(\.isDigit) else { return false }
            rest = rest[..<colon]
        }
        return isText(rest, and: "")
    }

    /// What stands in brackets.
    private static func isLiteral(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.first.map({ $0 | 0x20 }) == UInt8(ascii: "v") else { return AddressFormat.isIPv6(text) }
        let parts = text.dropFirst().split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, !parts[0].isEmpty, parts[0].allSatisfy(\.isHexDigit), !parts[1].isEmpty else {
            return false
        }
        return !parts[1].contains(UInt8(ascii: "%")) && parts[1].allSatisfy({ $0 < 0x80 }) && isText(parts[1], and: ":")
    }

    /// `ucschar` and `iprivate`, without asking where the latter may stand.
    private static func hasOnlyIRIScalars(_ text: ArraySlice<UInt8>) -> Bool {
        String(decoding: text, as: UTF8.self).unicodeScalars.allSatisfy { scalar in
            scalar.isASCII
                || scalar.value >= 0xa0 && !scalar.properties.isNoncharacterCodePoint
                    && !(0xfff0...0xfffd).contains(scalar.value)
        }
    }

    static func isTemplate(_ text: ArraySlice<UInt8>) -> Bool {
        var rest = text
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "{"):
                guard let end = rest.firstIndex(of: UInt8(ascii: "}")), isExpression(rest[..<end]) else { return false }
                rest = rest[(end + 1)...]
            case UInt8(ascii: "%"):
                guard rest.popFirst()?.isHexDigit == true, rest.popFirst()?.isHexDigit == true else { return false }
            case 0...0x20, 0x7f: return false
            default: if "\"<>\\^`|}".utf8.contains(byte) { return false }
            }
        }
        return true
    }

    private static func isExpression(_ text: ArraySlice<UInt8>) -> Bool {
        var rest = text
        if let first = rest.first, "+#./;?&=,!@|".utf8.contains(first) { rest.removeFirst() }
        return rest.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).allSatisfy(isVariable)
    }

    private static func isVariable(_ text: ArraySlice<UInt8>) -> Bool {
        var name = text
        if name.last == UInt8(ascii: "*") {
            name.removeLast()
        } else if let colon = name.firstIndex(of: UInt8(ascii: ":")) {
            let length = name[(colon + 1)...]
            guard (1...4).contains(length.count), length.allSatisfy(\.isDigit), length.first != UInt8(ascii: "0") else {
                return false
            }
            name = name[..<colon]
        }
        return name.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { part in
            var rest = part
            while let byte = rest.popFirst() {
                if byte == UInt8(ascii: "%") {
                    guard rest.popFirst()?.isHexDigit == true, rest.popFirst()?.isHexDigit == true else { return false }
                } else if !byte.isLetter, !byte.isDigit, byte != UInt8(ascii: "_") {
                    return false
                }
            }
            return !part.isEmpty
        }
    }
}
