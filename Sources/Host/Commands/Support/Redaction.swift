import DomePlatform
import Glibc

/// Takes out of a text what says who somebody is or what they keep secret: the home folder, the user's and the machine's
/// name, and everything that looks like a token.
struct Redaction {
    private let replacements: [(text: String, by: String)]

    init() {
        var found: [(String, String)] = []
        if let home = getenv("HOME").map({ String(cString: $0) }), home.utf8.count > 1 { found.append((home, "~")) }
        let name = ServiceManager.userName
        if name.utf8.count > 2, name != "root" { found.append((name, "USER")) }
        var host = utsname()
        uname(&host)
        let node = withUnsafeBytes(of: host.nodename) { raw in
            String(decoding: raw.prefix { $0 != 0 }, as: UTF8.self)
        }
        if node.utf8.count > 2, node != "localhost" { found.append((node, "HOST")) }
        replacements = found
    }

    /// The text without them.
    func applied(to text: String) -> String {
        var output = text
        for (text, by) in replacements { output = output.replacing(text, with: by) }
        return Self.withoutTokens(output)
    }

    /// A run of 32 or more letters and digits that has both and is no plain hexadecimal digest, a job id or a time.
    private static func withoutTokens(_ text: String) -> String {
        var output = ""
        var word = ""
        func flush() {
            let isLong = word.utf8.count >= 32
            let hasBoth = word.contains { $0.isNumber } && word.contains { $0.isLetter }
            let isPlain = word.allSatisfy { $0.isHexDigit && !$0.isUppercase }
            output += isLong && hasBoth && !isPlain ? "TOKEN" : word
            word = ""
        }
        for character in text {
            if character.isASCII, character.isLetter || character.isNumber || character == "_" || character == "+" {
                word.append(character)
            } else {
                flush()
                output.append(character)
            }
        }
        flush()
        return output
    }
}
