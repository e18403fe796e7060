package import DomeModel

/// That a leaf is in a log, with the checkpoint that says so: C2SP's tlog-proof. Checked with nothing but the log's
/// public key.
package struct LogProof: Sendable, Equatable {
    /// From 0.
    package var index: UInt64
    package var path: [Digest]
    package var checkpoint: SignedNote
    /// Not covered by the proof: whoever checks it hashes this, or what he has himself, as the leaf.
    package var extra: [UInt8]?

    private static let header = "c2sp.org/tlog-proof@v1"
    private static let longestPath = 64

    package init(index: UInt64, path: [Digest], checkpoint: SignedNote, extra: [UInt8]? = nil) {
        self.index = index
        self.path = path
        self.checkpoint = checkpoint
        self.extra = extra
    }

    package init(parsing text: String) throws(DomeError) {
        let wrong = { (what: String) in DomeError(.invalidRequest, "this is no proof (\(Self.header)): \(what)") }
        var rest = Array(text.utf8)[...]
        func line() -> String? {
            guard let end = rest.firstIndex(of: 0x0a) else { return nil }
            defer { rest = rest[(end + 1)...] }
            return String(decoding: rest[..<end], as: UTF8.self)
        }
        guard line() == Self.header else { throw wrong("its first line must be the format's name") }
        guard var next = line() else { throw wrong("it ends too early") }
        if next.hasPrefix("extra ") {
            guard let bytes = Base64.decode(String(next.dropFirst(6))) else { throw wrong("extra is not base64") }
            extra = bytes
            next = line() ?? ""
        }
        guard next.hasPrefix("index "), let index = LogCheckpoint.number(String(next.dropFirst(6))) else {
            throw wrong("a line 'index N' is missing")
        }
        self.index = index
        path = []
        while true {
            guard let hash = line() else { throw wrong("it ends too early") }
            if hash.isEmpty { break }
            guard let bytes = Base64.decode(hash), let digest = Digest(bytes: bytes), path.count < Self.longestPath
            else { throw wrong("a line of the path is not a SHA-256 value in base64") }
            path.append(digest)
        }
        checkpoint = try SignedNote(parsing: String(decoding: rest, as: UTF8.self))
    }

    package var rendered: String {
        let hashes = path.map { Base64.encode($0.bytes) + "\n" }.joined()
        return Self.header + "\n" + (extra.map { "extra " + Base64.encode($0) + "\n" } ?? "")
            + "index \(index)\n" + hashes + "\n" + checkpoint.rendered
    }

    /// Proves that `leaf` is in the log, or throws what is wrong. Returns the checkpoint.
    package func verify(leaf: [UInt8], by verifiers: [NoteVerifier]) throws(DomeError) -> LogCheckpoint {
        let refusal = { (what: String) in DomeError(.invalidRequest, "the proof does not hold: \(what)") }
        let stated = try LogCheckpoint(parsing: checkpoint.text)
        guard let verifier = try checkpoint.verified(by: verifiers) else {
            let known = verifiers.map { "\($0.name) (key \($0.keyIDText))" }.joined(separator: ", ")
            let signers = checkpoint.signatures.map { "\($0.name) (key \(NoteVerifier.hex($0.keyID)))" }
            throw refusal(
                "its checkpoint of log \(stated.origin) is signed by \(signers.joined(separator: ", ")), and not, or "
                    + "not correctly, by \(known)")
        }
        guard stated.origin == verifier.name else {
            throw refusal("it is of another log, \(stated.origin), than the key's, \(verifier.name)")
        }
        let hash = try TreeHasher().leaf(leaf)
        guard let root = try MerkleProof.root(ofLeaf: hash, index: index, size: stated.size, path: path) else {
            throw refusal("its path does not fit leaf \(index) of \(stated.size)")
        }
        guard root == stated.root else {
            throw refusal("the leaf is not what stands at \(index) in the log")
        }
        return stated
    }
}
