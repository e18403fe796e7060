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
    static func all(_ text: String, limit: Int) -> [String] {
        var words: [String] = []
        var word: [UInt8] = []
        var wasLower = false
        func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }
        func isUpper(_ byte: UInt8) -> Bool { (0x41...0x5a).contains(byte) }
        func isLower(_ byte: UInt8) -> Bool { (0x61...0x7a).contains(byte) }
        func end() {
            if !word.isEmpty { words.append(stem(String(decoding: word, as: UTF8.self))) }
            word.removeAll(keepingCapacity: true)
        }
        for byte in text.utf8 {
            if words.count >= limit { return words }
            guard isDigit(byte) || isUpper(byte) || isLower(byte) || byte >= 0x80 else {
                end()
                wasLower = false
                continue
            }
            // maxMatches is two words.
            if isUpper(byte), wasLower { end() }
            word.append(isUpper(byte) ? byte | 0x20 : byte)
            wasLower = isLower(byte)
            if word.count >= 64 { end() }
        }
        end()
        return words
    }

    /// Of a question: without the idle ones, unless it has no others, and each once.
    static func question(_ text: String) -> [String] {
        var seen: Set<String> = []
        let words = all(text.lowercased(), limit: 64).filter { seen.insert($0).inserted }
        let telling = words.filter { !idle.contains($0) }
        return Array((telling.isEmpty ? words : telling).prefix(16))
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
