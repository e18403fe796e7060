package import DomeModel

/// A text with signatures below it, as C2SP's signed-note has it.
package struct SignedNote: Sendable, Equatable {
    /// A signature line: whose, by which key, over the text.
    package struct Signature: Sendable, Equatable {
        package var name: String
        package var keyID: [UInt8]
        package var bytes: [UInt8]
    }

    /// Ends in a newline.
    package private(set) var text: String
    package private(set) var signatures: [Signature]

    private static let dash = "\u{2014} "
    private static let limitBytes = 64 << 10

    /// Signs `text`, which must end in a newline.
    package init(_ text: String, by signer: NoteSigner) throws(DomeError) {
        self.text = text
        signatures = [
            Signature(
                name: signer.verifier.name, keyID: signer.verifier.keyID,
                bytes: try signer.key.signature(of: Array(text.utf8)))
        ]
    }

    /// Reads a note; nothing of it is verified.
    package init(parsing note: String) throws(DomeError) {
        let wrong = { (what: String) in DomeError(.invalidRequest, "this is no signed note: \(what)") }
        guard note.utf8.count <= Self.limitBytes else { throw wrong("it is longer than 64 KiB") }
        // In bytes: a character may hold a line break and more.
        let bytes = Array(note.utf8)
        guard
            let gap = bytes.indices.dropLast().last(where: { bytes[$0] == 0x0a && bytes[$0 + 1] == 0x0a }), gap > 0
        else { throw wrong("no empty line stands between text and signatures") }
        text = String(decoding: bytes[...gap], as: UTF8.self)
        signatures = []
        let below = bytes[(gap + 2)...]
        guard below.last == 0x0a else { throw wrong("it does not end in a newline") }
        for line in below.dropLast().split(separator: 0x0a, omittingEmptySubsequences: false) {
            let words = String(decoding: line, as: UTF8.self).split(separator: " ").map(String.init)
            guard words.count == 3, words[0] == "\u{2014}", NoteVerifier.isName(words[1]),
                let signature = Base64.decode(words[2]), signature.count > 4
            else { throw wrong("a signature line looks like '— NAME BASE64'") }
            signatures.append(
                Signature(name: words[1], keyID: Array(signature.prefix(4)), bytes: Array(signature.dropFirst(4))))
        }
    }

    /// The note as text.
    package var rendered: String {
        text + "\n"
            + signatures.map { Self.dash + $0.name + " " + Base64.encode($0.keyID + $0.bytes) + "\n" }.joined()
    }

    /// The first of `verifiers` whose good signature the note has; nil if there is none. A bad signature in the name and
    /// with the id of a key that is known makes the whole note bad.
    package func verified(by verifiers: [NoteVerifier]) throws(DomeError) -> NoteVerifier? {
        var found: NoteVerifier?
        for signature in signatures {
            for verifier in verifiers where verifier.name == signature.name && verifier.keyID == signature.keyID {
                guard try verifier.key.verifies(signature.bytes, of: Array(text.utf8)) else { return nil }
                if found == nil { found = verifier }
            }
        }
        return found
    }
}
