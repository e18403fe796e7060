/// What `\p{…}` names: a general category, a script, or a property that a character has or has not.
struct UnicodeProperty: Sendable, Hashable {
    private enum Kind: Sendable, Hashable {
        /// A bit for each category.
        case categories(UInt32)
        case binary(String)
        /// Without the extensions: what several scripts share belongs to the one it is listed with.
        case script(String)
    }

    private let kind: Kind
    private var isOpposite = false

    var opposite: UnicodeProperty {
        var other = self
        other.isOpposite.toggle()
        return other
    }

    /// `text` as it stands in the braces; nil if there is no such property.
    init?(_ text: String) {
        let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        switch (parts.first ?? "", parts.dropFirst().first) {
        case ("General_Category", let name?), ("gc", let name?):
            guard let mask = Self.categoryMask(name) else { return nil }
            kind = .categories(mask)
        case (let name, nil):
            if let mask = Self.categoryMask(name) {
                kind = .categories(mask)
            } else {
                guard name == "ASCII" || Self.binary[name] != nil else { return nil }
                kind = .binary(name)
            }
        case ("Script", let name?), ("sc", let name?):
            guard UnicodeScripts.ranges(of: name) != nil else { return nil }
            kind = .script(name)
        default: return nil
        }
    }

    func holds(_ scalar: Unicode.Scalar) -> Bool {
        let isTrue: Bool
        switch kind {
        case .categories(let mask): isTrue = mask & Self.bit(scalar.properties.generalCategory) != 0
        case .binary("ASCII"): isTrue = scalar.isASCII
        case .binary(let name): isTrue = Self.binary[name]?(scalar.properties) ?? false
        case .script(let name): isTrue = UnicodeScripts.contains(name, scalar.value)
        }
        return isTrue != isOpposite
    }

    private static func bit(_ category: Unicode.GeneralCategory) -> UInt32 {
        guard let index = categories.firstIndex(where: { $0.category == category }) else { return 0 }
        return 1 << UInt32(index)
    }

    private static func categoryMask(_ name: String) -> UInt32? {
        var mask: UInt32 = 0
        for (index, entry) in categories.enumerated() where entry.names.contains(name) { mask |= 1 << UInt32(index) }
        if mask != 0 { return mask }
        guard let letters = groups.first(where: { $0.names.contains(name) })?.letters else { return nil }
        for (index, entry) in categories.enumerated() where letters.contains(entry.names.first ?? "") {
            mask |= 1 << UInt32(index)
        }
        return mask
    }

    /// Names from Unicode's PropertyValueAliases.
    private static let categories: [(category: Unicode.GeneralCategory, names: [String])] = [
        (.uppercaseLetter, ["Lu", "Uppercase_Letter"]), (.lowercaseLetter, ["Ll", "Lowercase_Letter"]),
        (.titlecaseLetter, ["Lt", "Titlecase_Letter"]), (.modifierLetter, ["Lm", "Modifier_Letter"]),
        (.otherLetter, ["Lo", "Other_Letter"]), (.nonspacingMark, ["Mn", "Nonspacing_Mark"]),
        (.spacingMark, ["Mc", "Spacing_Mark"]), (.enclosingMark, ["Me", "Enclosing_Mark"]),
        (.decimalNumber, ["Nd", "Decimal_Number", "digit"]), (.letterNumber, ["Nl", "Letter_Number"]),
        (.otherNumber, ["No", "Other_Number"]), (.connectorPunctuation, ["Pc", "Connector_Punctuation"]),
        (.dashPunctuation, ["Pd", "Dash_Punctuation"]), (.openPunctuation, ["Ps", "Open_Punctuation"]),
        (.closePunctuation, ["Pe", "Close_Punctuation"]), (.initialPunctuation, ["Pi", "Initial_Punctuation"]),
        (.finalPunctuation, ["Pf", "Final_Punctuation"]), (.otherPunctuation, ["Po", "Other_Punctuation"]),
        (.mathSymbol, ["Sm", "Math_Symbol"]), (.currencySymbol, ["Sc", "Currency_Symbol"]),
        (.modifierSymbol, ["Sk", "Modifier_Symbol"]), (.otherSymbol, ["So", "Other_Symbol"]),
        (.spaceSeparator, ["Zs", "Space_Separator"]), (.lineSeparator, ["Zl", "Line_Separator"]),
        (.paragraphSeparator, ["Zp", "Paragraph_Separator"]), (.control, ["Cc", "Control", "cntrl"]),
        (.format, ["Cf", "Format"]), (.surrogate, ["Cs", "Surrogate"]), (.privateUse, ["Co", "Private_Use"]),
        (.unassigned, ["Cn", "Unassigned"]),
    ]

    private static let groups: [(names: [String], letters: [String])] = [
        (["L", "Letter"], ["Lu", "Ll", "Lt", "Lm", "Lo"]), (["LC", "Cased_Letter"], ["Lu", "Ll", "Lt"]),
        (["M", "Mark", "Combining_Mark"], ["Mn", "Mc", "Me"]), (["N", "Number"], ["Nd", "Nl", "No"]),
        (["P", "Punctuation", "punct"], ["Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po"]),
        (["S", "Symbol"], ["Sm", "Sc", "Sk", "So"]), (["Z", "Separator"], ["Zs", "Zl", "Zp"]),
        (["C", "Other"], ["Cc", "Cf", "Cs", "Co", "Cn"]),
    ]

    /// ECMA-262, table of binary Unicode properties, as far as the standard library knows them.
    private static let binary: [String: @Sendable (Unicode.Scalar.Properties) -> Bool] = [
        "Any": { _ in true },
        "Alphabetic": { $0.isAlphabetic }, "Alpha": { $0.isAlphabetic },
        "ASCII_Hex_Digit": { $0.isASCIIHexDigit }, "AHex": { $0.isASCIIHexDigit },
        "Assigned": { $0.generalCategory != .unassigned }, "Bidi_Control": { $0.isBidiControl },
        "Bidi_Mirrored": { $0.isBidiMirrored }, "Case_Ignorable": { $0.isCaseIgnorable }, "Cased": { $0.isCased },
        "Dash": { $0.isDash }, "Default_Ignorable_Code_Point": { $0.isDefaultIgnorableCodePoint },
        "Deprecated": { $0.isDeprecated }, "Diacritic": { $0.isDiacritic }, "Emoji": { $0.isEmoji },
        "Emoji_Modifier": { $0.isEmojiModifier }, "Emoji_Modifier_Base": { $0.isEmojiModifierBase },
        "Emoji_Presentation": { $0.isEmojiPresentation }, "Extender": { $0.isExtender },
        "Grapheme_Base": { $0.isGraphemeBase }, "Grapheme_Extend": { $0.isGraphemeExtend },
        "Hex_Digit": { $0.isHexDigit }, "Hex": { $0.isHexDigit }, "ID_Continue": { $0.isIDContinue },
        "IDC": { $0.isIDContinue }, "ID_Start": { $0.isIDStart }, "IDS": { $0.isIDStart },
        "Ideographic": { $0.isIdeographic }, "Ideo": { $0.isIdeographic }, "Join_Control": { $0.isJoinControl },
        "Lowercase": { $0.isLowercase }, "Lower": { $0.isLowercase }, "Math": { $0.isMath },
        "Noncharacter_Code_Point": { $0.isNoncharacterCodePoint }, "Pattern_Syntax": { $0.isPatternSyntax },
        "Pattern_White_Space": { $0.isPatternWhitespace }, "Quotation_Mark": { $0.isQuotationMark },
        "Radical": { $0.isRadical }, "Sentence_Terminal": { $0.isSentenceTerminal },
        "Soft_Dotted": { $0.isSoftDotted }, "Terminal_Punctuation": { $0.isTerminalPunctuation },
        "Unified_Ideograph": { $0.isUnifiedIdeograph }, "Uppercase": { $0.isUppercase },
        "Upper": { $0.isUppercase }, "Variation_Selector": { $0.isVariationSelector },
        "White_Space": { $0.isWhitespace }, "space": { $0.isWhitespace }, "XID_Continue": { $0.isXIDContinue },
        "XIDC": { $0.isXIDContinue }, "XID_Start": { $0.isXIDStart }, "XIDS": { $0.isXIDStart },
    ]
}
