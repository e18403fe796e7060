import Testing

@testable import DomeEngine

@Suite struct `Names of artifacts` {
    @Test(arguments: [
        ("report.txt", "report.txt"), ("späß 東京 🚀", "späß 東京 🚀"), ("50%.png", "50%.png"), ("100%", "100%"),
        ("a\nb", "a%0Ab"), ("\u{1b}[2J", "%1B[2J"), ("x\u{7f}", "x%7F"), ("a%0Ab", "a%250Ab"), ("%25", "%2525"),
        ("gpj.\u{202e}exe", "gpj.%E2%80%AEexe"), ("\u{85}", "%C2%85"), ("a\u{2028}b", "a%E2%80%A8b"),
    ])
    func `are readable text or escaped`(name: String, encoded: String) {
        #expect(ArtifactName.encode(Array(name.utf8)) == encoded)
    }

    @Test(
        arguments: [
            ([0xff], "%FF"), ([0x61, 0xc3], "a%C3"), ([0xc3, 0x28], "%C3("), ([0xed, 0xa0, 0x80], "%ED%A0%80"),
            ([0xc0, 0xaf], "%C0%AF"), ([0xf4, 0x90, 0x80, 0x80], "%F4%90%80%80"), ([0xe2, 0x82, 0xac], "€"),
            ([0xf0, 0x9f, 0x9a], "%F0%9F%9A"), ([0x25, 0x32, 0x80], "%2%80"),
        ] as [([UInt8], String)])
    func `that are not UTF-8 lose nothing`(bytes: [UInt8], encoded: String) {
        #expect(ArtifactName.encode(bytes) == encoded)
    }

    /// Whatever the bytes, they can be had back, so no two names become one.
    @Test func `can be decoded`() {
        var generator = SystemRandomNumberGenerator()
        let alphabet: [UInt8] = [0x25, 0x32, 0x35, 0x41, 0x66, 0x0a, 0x80, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xff, 0x7a]
        for _ in 0..<20_000 {
            let bytes = (0..<Int.random(in: 1...8, using: &generator)).compactMap { _ in
                alphabet.randomElement(using: &generator)
            }
            let text = ArtifactName.encode(bytes)
            #expect(decode(text) == bytes, "\(bytes) became \(text)")
        }
    }

    private func decode(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8)
        var output: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == 0x25, index + 2 < bytes.count,
                let value = UInt8(String(decoding: bytes[index + 1...index + 2], as: UTF8.self), radix: 16)
            {
                output.append(value)
                index += 3
            } else {
                output.append(bytes[index])
                index += 1
            }
        }
        return output
    }
}
