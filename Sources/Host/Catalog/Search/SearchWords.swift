/// Text as a search sees it: words without case and without the commonest endings.
enum SearchWords {
    /// Nobody looks for these, and every description has them.
    private static let idle: Set<String> = [
        "a", "an", "and", "any", "are", "as", "at", "be", "by", "can", "do", "for", "from", "how", "i", "in", "into",
        "is",
        "it", "its", "me", "my", "of", "on", "or", "some", "that", "the", "their", "them", "this", "to", "want", "what",
        "which", "with", "you",
    ]

    /// Of text that is looked through: every word, in order, at most `limit` of them.
    static func all(_ text: String, limit: Int) -> [String] { spelled(text, limit: limit).map(stem) }

    /// Of a question: without the idle ones, unless it has no others, and each once.
    static func question(_ text: String) -> [String] {
        var seen: Set<String> = []
        let words = spelled(text, limit: 64)
        let telling = words.filter { !idle.contains($0) }
        return Array((telling.isEmpty ? words : telling).map(stem).filter { seen.insert($0).inserted }.prefix(16))
    }

    /// The words in lower case, with their endings.
    private static func spelled(_ text: String, limit: Int) -> [String] {
        var words: [String] = []
        var word = ""
        var wasLower = false
        func end() {
            if !word.isEmpty { words.append(word) }
            word = ""
        }
        for scalar in text.unicodeScalars {
            if words.count >= limit { return words }
            let kind = Kind(scalar)
            guard kind != .gap else {
                end()
                wasLower = false
                continue
            }
            // maxMatches is two words, and so are two Chinese characters: these have no gaps between words.
            if kind == .upper && wasLower || kind == .sign { end() }
            switch kind {
            case .upper where !scalar.isASCII: word += scalar.properties.lowercaseMapping
            case .upper: word.unicodeScalars.append(Unicode.Scalar(UInt8(truncatingIfNeeded: scalar.value) | 0x20))
            default: word.unicodeScalars.append(scalar)
            }
            wasLower = kind == .lower
            if kind == .sign || word.utf8.count >= 64 { end() }
        }
        end()
        return Array(words.prefix(limit))
    }

    /// What a character does in a word.
    private enum Kind {
        case lower, upper, digit, sign, gap

        init(_ scalar: Unicode.Scalar) {
            switch scalar.value {
            case 0x61...0x7a: self = .lower
            case 0x41...0x5a: self = .upper
            case 0x30...0x39: self = .digit
            case 0..<0x80: self = .gap
            // Kana; Chinese characters are ideographic.
            case 0x3041...0x3096, 0x30a1...0x30fa: self = .sign
            default:
                let properties = scalar.properties
                if properties.isIdeographic {
                    self = .sign
                } else if properties.isUppercase {
                    self = .upper
                } else if properties.isAlphabetic {
                    self = .lower
                } else {
                    switch properties.generalCategory {
                    case .decimalNumber, .nonspacingMark, .spacingMark: self = .digit
                    default: self = .gap
                    }
                }
            }
        }
    }

    /// Plural and verb endings off: searches, searching, searched and search are one word.
    static func stem(_ word: String) -> String {
        let count = word.utf8.count
        guard count > 3, word.utf8.allSatisfy({ (0x61...0x7a).contains($0) }) else { return word }
        for (ending, replacement) in [("ies", "y"), ("ing", ""), ("ed", "")] {
            let rest = count - ending.utf8.count
            if word.hasSuffix(ending), rest >= 3 {
                return plain(String(word.dropLast(ending.utf8.count)) + replacement)
            }
        }
        if word.hasSuffix("es"), count > 4, ["ch", "sh", "ss", "x", "z"].contains(where: word.dropLast(2).hasSuffix) {
            return String(word.dropLast(2))
        }
        if word.hasSuffix("s"), !word.hasSuffix("ss"), !word.hasSuffix("us") { return plain(String(word.dropLast())) }
        return plain(word)
    }

    /// Without the last letter where the endings take it: "writ" is what is left of "writing" and of "write", and "run"
    /// of "running".
    private static func plain(_ word: String) -> String {
        let bytes = Array(word.utf8.suffix(2))
        guard word.utf8.count > 3, bytes.count == 2 else { return word }
        let isDoubled = bytes[0] == bytes[1] && !"aeiouls".utf8.contains(bytes[1])
        return bytes[1] == UInt8(ascii: "e") || isDoubled ? String(word.dropLast()) : word
    }
}
