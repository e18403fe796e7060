// Keys, signed notes, checkpoints, proofs and envelopes: published examples, and texts from elsewhere.

import DomeCrypto
import DomeModel
import Testing

/// The example of golang.org/x/mod/sumdb/note, whose format C2SP's signed-note is.
private enum Published {
    static let secret = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
    static let verifier = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    static let text =
        "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    static let signed =
        text
        + "\n\u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
}

@Suite struct `Signed notes` {
    @Test func `Ed25519 gives RFC 8032's first signature`() throws {
        let seed = try #require(Digest(hex: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"))
        let key = try Ed25519PrivateKey(seed: seed.bytes)
        #expect(key.publicKey.hex == "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a")
        let signature = try key.signature(of: [])
        #expect(
            Digest(bytes: Array(signature[..<32]))?.hex
                == "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155")
        #expect(try key.publicKey.verifies(signature, of: []))
        #expect(try !key.publicKey.verifies(signature, of: [0]))
        #expect(try !key.publicKey.verifies(Array(signature.dropLast()), of: []))
        #expect(key.publicKey.pem.hasPrefix("-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEA"))
    }

    @Test func `the published note is made and verified byte for byte`() throws {
        let signer = try NoteSigner(parsing: Published.secret)
        #expect(signer.verifier.description == Published.verifier)
        #expect(signer.secretText == Published.secret)
        #expect(try SignedNote(Published.text, by: signer).rendered == Published.signed)
        let note = try SignedNote(parsing: Published.signed)
        #expect(note.text == Published.text)
        #expect(try note.verified(by: [NoteVerifier(parsing: Published.verifier)]) == signer.verifier)
    }

    @Test func `a changed text, a changed signature and a stranger's key do not pass`() throws {
        let known = [try NoteVerifier(parsing: Published.verifier)]
        let changed = Published.signed.replacing("problem is", with: "problem was")
        #expect(try SignedNote(parsing: changed).verified(by: known) == nil)
        let resigned = Published.signed.replacing("x08go/ZJ", with: "x08go/ZK")
        #expect(try SignedNote(parsing: resigned).verified(by: known) == nil)
        let stranger = try NoteSigner(name: "PeterNeumann", key: Ed25519PrivateKey())
        #expect(try SignedNote(Published.text, by: stranger).verified(by: known) == nil)
    }

    @Test(arguments: [
        "", "\n", "text", "text\n", "text\n\n", "text\n\n— a", "text\n\n— a b c\n", "text\n\n- a AAAAAAAA\n",
        "text\n\n— a+b AAAAAAAA\n", "text\n\n— a AAAA\n", String(repeating: "x", count: 70_000) + "\n\n— a AAAAAAAA\n",
    ]) func `what is no note is refused`(_ text: String) {
        #expect(throws: DomeError.self) { try SignedNote(parsing: text) }
    }

    @Test(arguments: [
        "", "+", "a+b+c", "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10T", "Peter Neumann+c74f20a3+ARpc",
    ]) func `what is no key is refused`(_ text: String) {
        #expect(throws: DomeError.self) { try NoteVerifier(parsing: text) }
        #expect(throws: DomeError.self) { try NoteSigner(parsing: "PRIVATE+KEY+" + text) }
    }
}

@Suite struct `Checkpoints and proofs` {
    @Test func `a checkpoint survives its text, and nothing else passes for one`() throws {
        let checkpoint = LogCheckpoint(origin: "dome/x", size: 12, root: try SHA256.digest("r"))
        #expect(try LogCheckpoint(parsing: checkpoint.text) == checkpoint)
        for text in ["", "dome\n1\n", "dome\n01\nAAAA\n", "dome\n-1\n\(Base64.encode(checkpoint.root.bytes))\n"] {
            #expect(throws: DomeError.self) { try LogCheckpoint(parsing: text) }
        }
    }

    @Test func `a proof survives its text and holds for its leaf alone`() throws {
        let signer = try NoteSigner(name: "dome/log", key: Ed25519PrivateKey())
        let leaves = (0..<5).map { Array("leaf \($0)".utf8) }
        let hashes = try `The Merkle tree`.hashes(leaves)
        let prover = try `The Merkle tree`.prover(hashes)
        let checkpoint = LogCheckpoint(origin: "dome/log", size: 5, root: try prover.root(size: 5))
        let note = try SignedNote(checkpoint.text, by: signer)
        let proof = LogProof(
            index: 3, path: try prover.inclusion(of: 3, size: 5), checkpoint: note, extra: leaves[3])
        let read = try LogProof(parsing: proof.rendered)
        #expect(read == proof)
        #expect(try read.verify(leaf: leaves[3], by: [signer.verifier]) == checkpoint)
        #expect(throws: DomeError.self) { try read.verify(leaf: leaves[2], by: [signer.verifier]) }
        var moved = proof
        moved.index = 2
        #expect(throws: DomeError.self) { try moved.verify(leaf: leaves[3], by: [signer.verifier]) }
        let other = try NoteSigner(name: "dome/other", key: signer.key)
        let error = #expect(throws: DomeError.self) { try read.verify(leaf: leaves[3], by: [other.verifier]) }
        #expect(error?.message.contains("dome/log") == true)
        let elsewhere = try SignedNote(checkpoint.text, by: other)
        let foreign = LogProof(index: 3, path: proof.path, checkpoint: elsewhere)
        let refusal = #expect(throws: DomeError.self) { try foreign.verify(leaf: leaves[3], by: [other.verifier]) }
        #expect(refusal?.message.contains("another log") == true)
    }

    @Test(arguments: [
        "", "c2sp.org/tlog-proof@v2\n", "c2sp.org/tlog-proof@v1\n", "c2sp.org/tlog-proof@v1\nindex 1\n",
        "c2sp.org/tlog-proof@v1\nindex 01\n\n", "c2sp.org/tlog-proof@v1\nextra !\nindex 1\n\n",
        "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\n", "c2sp.org/tlog-proof@v1\nindex 1\n\nno note",
    ]) func `what is no proof is refused`(_ text: String) {
        #expect(throws: DomeError.self) { try LogProof(parsing: text) }
    }
}

@Suite struct `DSSE envelopes` {
    @Test func `sign the published encoding`() {
        // DSSE's protocol.md.
        let encoded = DSSEEnvelope.encoded("http://example.com/HelloWorld", Array("hello world".utf8))
        #expect(String(decoding: encoded, as: UTF8.self) == "DSSEv1 29 http://example.com/HelloWorld 11 hello world")
    }

    @Test func `survive their JSON and hold for their signer alone`() throws {
        let signer = try NoteSigner(name: "dome", key: Ed25519PrivateKey())
        let envelope = try DSSEEnvelope(payloadType: DSSEEnvelope.inTotoType, payload: Array("{}".utf8), by: signer)
        var read = try DSSEEnvelope(parsing: envelope.document.indented)
        #expect(read == envelope)
        #expect(try read.verified(by: [signer.verifier]) == signer.verifier)
        let stranger = try NoteSigner(name: "dome", key: Ed25519PrivateKey())
        #expect(try read.verified(by: [stranger.verifier]) == nil)
        read.payload.append(0x20)
        #expect(try read.verified(by: [signer.verifier]) == nil)
        read = envelope
        read.payloadType = "text/plain"
        #expect(try read.verified(by: [signer.verifier]) == nil)
    }

    @Test(arguments: ["", "[]", "{}", #"{"payload":"!","payloadType":"x","signatures":[]}"#])
    func `what is none is refused`(_ text: String) {
        #expect(throws: DomeError.self) { try DSSEEnvelope(parsing: text) }
    }
}
