package import DomeModel

/// A signed document: DSSE 1.0 (Dead Simple Signing Envelope), with Ed25519.
package struct DSSEEnvelope: Sendable, Equatable {
    package var payloadType: String
    package var payload: [UInt8]
    package var signatures: [(keyID: String, bytes: [UInt8])]

    /// in-toto's Statement as JSON.
    package static let inTotoType = "application/vnd.in-toto+json"

    package init(payloadType: String, payload: [UInt8], by signer: NoteSigner) throws(DomeError) {
        self.payloadType = payloadType
        self.payload = payload
        let bytes = try signer.key.signature(of: Self.encoded(payloadType, payload))
        signatures = [(keyID: signer.verifier.description, bytes: bytes)]
    }

    package init(parsing text: String) throws(DomeError) {
        let document = try JSONParser.parse(text, what: "the envelope")
        guard let type = document["payloadType"]?.stringValue, let base64 = document["payload"]?.stringValue,
            let payload = Base64.decode(base64), let list = document["signatures"]?.arrayValue
        else {
            throw DomeError(
                .invalidRequest, "this is no DSSE envelope: it has payload, payloadType and signatures")
        }
        payloadType = type
        self.payload = payload
        signatures = []
        for entry in list {
            guard let base64 = entry["sig"]?.stringValue, let bytes = Base64.decode(base64) else {
                throw DomeError(.invalidRequest, "this is no DSSE envelope: a signature has no base64 in \"sig\"")
            }
            signatures.append((keyID: entry["keyid"]?.stringValue ?? "", bytes: bytes))
        }
    }

    /// What is signed: the pre-authentication encoding.
    package static func encoded(_ type: String, _ payload: [UInt8]) -> [UInt8] {
        Array("DSSEv1 \(type.utf8.count) \(type) \(payload.count) ".utf8) + payload
    }

    package var document: JSONValue {
        [
            "payload": .string(Base64.encode(payload)), "payloadType": .string(payloadType),
            "signatures": .array(
                signatures.map { ["keyid": .string($0.keyID), "sig": .string(Base64.encode($0.bytes))] }),
        ]
    }

    /// The first of `verifiers` that signed it; nil if none did. Key ids are hints and prove nothing.
    package func verified(by verifiers: [NoteVerifier]) throws(DomeError) -> NoteVerifier? {
        let message = Self.encoded(payloadType, payload)
        for verifier in verifiers {
            for signature in signatures where try verifier.key.verifies(signature.bytes, of: message) {
                return verifier
            }
        }
        return nil
    }

    package static func == (left: DSSEEnvelope, right: DSSEEnvelope) -> Bool { left.document == right.document }
}
