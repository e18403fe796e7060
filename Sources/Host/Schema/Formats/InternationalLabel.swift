/// RFC 5891, section 4.2, and RFC 5892: which characters a label of a host name may have, and where.
enum InternationalLabel {
    static func isValid(_ label: [Unicode.Scalar]) -> Bool {
        guard let first = label.first, let last = label.last, first != "-", last != "-" else { return false }
        guard label.count < 4 || label[2] != "-" || label[3] != "-" else { return false }
        guard ![.nonspacingMark, .spacingMark, .enclosingMark].contains(first.properties.generalCategory) else {
            return false
        }
        return label.indices.allSatisfy { isAllowed(label, $0) }
    }

    /// RFC 5892, section 2.6.
    private static let allowedExceptions: Set<UInt32> = [0xdf, 0x3c2, 0x6fd, 0x6fe, 0xf0b, 0x3007]
    private static let refusedExceptions: Set<UInt32> = [
        0x640, 0x7fa, 0x302e, 0x302f, 0x3031, 0x3032, 0x3033, 0x3034, 0x3035, 0x303b,
    ]

    private static func isAllowed(_ label: [Unicode.Scalar], _ position: Int) -> Bool {
        let scalar = label[position]
        if let verdict = byContext(label, position) { return verdict }
        if allowedExceptions.contains(scalar.value) { return true }
        if refusedExceptions.contains(scalar.value) { return false }
        let properties = scalar.properties
        if scalar.isASCII { return scalar == "-" || ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar) }
        guard properties.generalCategory != .unassigned, !properties.changesWhenNFKCCaseFolded,
            !properties.isWhitespace, !properties.isDefaultIgnorableCodePoint, !properties.isNoncharacterCodePoint
        else { return false }
        // Old Hangul, and blocks of symbols for music and typesetting.
        let refused: [ClosedRange<UInt32>] = [
            0x1100...0x11ff, 0xa960...0xa97f, 0xd7b0...0xd7ff, 0x20d0...0x20ff, 0x1d100...0x1d1ff, 0x1d200...0x1d24f,
        ]
        guard !refused.contains(where: { $0.contains(scalar.value) }) else { return false }
        let letters: [Unicode.GeneralCategory] = [
            .lowercaseLetter, .uppercaseLetter, .otherLetter, .modifierLetter, .decimalNumber, .nonspacingMark,
            .spacingMark,
        ]
        return letters.contains(properties.generalCategory)
    }

    /// RFC 5892, appendix A: characters whose neighbours decide. Nil for all others.
    private static func byContext(_ label: [Unicode.Scalar], _ position: Int) -> Bool? {
        let before = position > 0 ? label[position - 1] : nil
        let after = position + 1 < label.count ? label[position + 1] : nil
        func isOf(_ script: String, _ scalar: Unicode.Scalar?) -> Bool {
            scalar.map { UnicodeScripts.contains(script, $0.value) } ?? false
        }
        func holds(_ range: ClosedRange<UInt32>) -> Bool { label.contains { range.contains($0.value) } }
        switch label[position].value {
        case 0x200c: return isVirama(before) || joins(label, position)
        case 0x200d: return isVirama(before)
        case 0xb7: return before == "l" && after == "l"
        case 0x375: return isOf("Greek", after)
        case 0x5f3, 0x5f4: return isOf("Hebrew", before)
        case 0x30fb:
            return label.contains { isOf("Hiragana", $0) || isOf("Katakana", $0) || isOf("Han", $0) }
        case 0x660...0x669: return !holds(0x6f0...0x6f9)
        case 0x6f0...0x6f9: return !holds(0x660...0x669)
        default: return nil
        }
    }

    private static func isVirama(_ scalar: Unicode.Scalar?) -> Bool {
        scalar?.properties.canonicalCombiningClass == .virama
    }

    /// Whether the non-joiner keeps two letters apart that would be written as one.
    private static func joins(_ label: [Unicode.Scalar], _ position: Int) -> Bool {
        func isMark(_ scalar: Unicode.Scalar) -> Bool { scalar.properties.generalCategory == .nonspacingMark }
        guard let before = label[..<position].last(where: { !isMark($0) }),
            let after = label[(position + 1)...].first(where: { !isMark($0) })
        else { return false }
        return isJoining(before) && !joinsToTheRightOnly(before) && isJoining(after)
    }

    private static func isJoining(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value != 0x621 && scalar.properties.generalCategory == .otherLetter
            && ["Arabic", "Syriac", "Mongolian", "Adlam"].contains { UnicodeScripts.contains($0, scalar.value) }
    }

    private static func joinsToTheRightOnly(_ scalar: Unicode.Scalar) -> Bool {
        let ranges: [ClosedRange<UInt32>] = [
            0x622...0x625, 0x627...0x627, 0x629...0x629, 0x62f...0x632, 0x648...0x648, 0x671...0x673, 0x675...0x677,
            0x688...0x699, 0x6c0...0x6c0, 0x6c3...0x6cb, 0x6cd...0x6cd, 0x6cf...0x6cf, 0x6d2...0x6d3, 0x6d5...0x6d5,
            0x6ee...0x6ef, 0x710...0x710, 0x715...0x719, 0x71e...0x71e, 0x728...0x728, 0x72a...0x72a, 0x72c...0x72c,
        ]
        return ranges.contains { $0.contains(scalar.value) }
    }
}
