package import DomeModel

/// A public key with a name, as C2SP's signed-note writes it: `NAME+KEYID+BASE64`, the key id being the first four bytes
/// of SHA-256(name ‖ newline ‖ 0x01 ‖ key).
package struct NoteVerifier: Sendable, Hashable, CustomStringConvertible {
    package let name: String
    package let key: Ed25519PublicKey
    package let keyID: [UInt8]

    package init(name: String, key: Ed25519PublicKey) throws(DomeError) {
        guard Self.isName(name) else {
            throw DomeError(.invalidRequest, "'\(name.prefix(64))' is no key name: no spaces, no plus, not empty")
        }
        self.name = name
        self.key = key
        keyID = Array(try SHA256.digest(Array(name.utf8) + [0x0a, 0x01] + key.bytes).bytes.prefix(4))
    }

    package init(parsing text: String) throws(DomeError) {
        let wrong = DomeError(
            .invalidRequest,
            "'\(text.prefix(80))' is no public key; it looks like dome/0123+89abcdef+Aa…= ('dome keys show' prints it)")
        // The base64 may hold a plus itself.
        let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, let bytes = Base64.decode(parts[2]), bytes.count == 33, bytes.first == 1 else {
            throw wrong
        }
        try self.init(name: parts[0], key: try Ed25519PublicKey(bytes: Array(bytes.dropFirst())))
        guard parts[1] == Self.hex(keyID) else { throw wrong }
    }

    /// No white space, nothing that could hide, no plus.
    package static func isName(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: "+") }
    }

    package var description: String { name + "+" + Self.hex(keyID) + "+" + Base64.encode([1] + key.bytes) }

    /// Eight hexadecimal digits.
    package var keyIDText: String { Self.hex(keyID) }

    static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
    }
}

/// A private key with a name; the text form is `PRIVATE+KEY+NAME+KEYID+BASE64`.
package struct NoteSigner: Sendable {
    package let key: Ed25519PrivateKey
    package let verifier: NoteVerifier

    package init(name: String, key: Ed25519PrivateKey) throws(DomeError) {
        self.key = key
        verifier = try NoteVerifier(name: name, key: key.publicKey)
    }

    /// Never names the text in its error: it is secret.
    package init(parsing text: String) throws(DomeError) {
        let wrong = DomeError(.invalidRequest, "it is not a private key (PRIVATE+KEY+…)")
        let parts = text.split(separator: "+", maxSplits: 4, omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 5, parts[0] == "PRIVATE", parts[1] == "KEY", let bytes = Base64.decode(parts[4]),
            bytes.count == 33, bytes.first == 1
        else { throw wrong }
        try self.init(name: parts[2], key: try Ed25519PrivateKey(seed: Array(bytes.dropFirst())))
        guard parts[3] == verifier.keyIDText else { throw wrong }
    }

    package var secretText: String {
        "PRIVATE+KEY+" + verifier.name + "+" + verifier.keyIDText + "+" + Base64.encode([1] + key.seed)
    }
}
