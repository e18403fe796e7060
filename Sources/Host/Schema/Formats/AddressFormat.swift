/// IP addresses as text.
enum AddressFormat {
    /// RFC 2673, section 3.2: four numbers without leading zeros.
    static func isIPv4(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count <= 15 else { return false }
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return parts.count == 4
            && parts.allSatisfy { part in
                var rest = part
                guard part.count <= 3, rest.takeNumber(), rest.isEmpty else { return false }
                return part.reduce(0) { $0 * 10 + Int($1 - 0x30) } <= 255
            }
    }

    /// RFC 4291, section 2.2.
    static func isIPv6(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count <= 45 else { return false }
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count >= 3 else { return false }
        var (groups, gaps) = (0, 0)
        for (position, part) in parts.enumerated() {
            let isOuter = position == 0 || position == parts.count - 1
            if part.isEmpty {
                // At either end, an empty part belongs to the :: beside it.
                if isOuter {
                    guard parts[position == 0 ? 1 : parts.count - 2].isEmpty else { return false }
                } else {
                    gaps += 1
                }
            } else if position == parts.count - 1, part.contains(UInt8(ascii: ".")) {
                guard isIPv4(part) else { return false }
                groups += 2
            } else {
                guard part.count <= 4, part.allSatisfy(\.isHexDigit) else { return false }
                groups += 1
            }
        }
        // ":::" has two gaps, as any address with two :: has.
        return gaps == 0 ? groups == 8 : gaps == 1 && groups < 8
    }
}

/// RFC 5321, section 4.1.2, and RFC 6531 for addresses beyond ASCII.
enum MailFormat {
    static func isAddress(_ text: ArraySlice<UInt8>, isInternational: Bool) -> Bool {
        guard isInternational || text.allSatisfy({ $0 < 0x80 }) else { return false }
        guard let at = text.lastIndex(of: UInt8(ascii: "@")) else { return false }
        let (local, domain) = (text[..<at], text[(at + 1)...])
        guard isLocal(local) else { return false }
        if domain.first == UInt8(ascii: "["), domain.last == UInt8(ascii: "]"), domain.count > 2 {
            let literal = domain.dropFirst().dropLast()
            let prefix = Array("IPv6:".utf8)
            if literal.prefix(5).map({ $0 | 0x20 }) == prefix.map({ $0 | 0x20 }) {
                return AddressFormat.isIPv6(literal.dropFirst(5))
            }
            return AddressFormat.isIPv4(literal)
        }
        return isInternational ? HostFormat.isInternationalHostname(domain) : HostFormat.isHostname(domain)
    }

    private static let marks = Set("!#$%&'*+-/=?^_`{|}~".utf8)

    private static func isLocal(_ text: ArraySlice<UInt8>) -> Bool {
        if text.first == UInt8(ascii: "\"") { return isQuoted(text) }
        let atoms = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        return atoms.allSatisfy { atom in
            !atom.isEmpty && atom.allSatisfy { $0.isLetter || $0.isDigit || $0 >= 0x80 || marks.contains($0) }
        }
    }

    private static func isQuoted(_ text: ArraySlice<UInt8>) -> Bool {
        guard text.count >= 2, text.last == UInt8(ascii: "\"") else { return false }
        var rest = text.dropFirst().dropLast()
        while let byte = rest.popFirst() {
            guard byte >= 0x20, byte != 0x7f, byte != UInt8(ascii: "\"") else { return false }
            if byte == UInt8(ascii: "\\") {
                guard let next = rest.popFirst(), (0x20...0x7e).contains(next) else { return false }
            }
        }
        return true
    }
}
