import DomeCrypto
import DomeModel
import DomePlatform

/// The text in a file, or on stdin for "-"; at most a mebibyte.
func textFile(_ place: String) throws(CommandFailure) -> String {
    String(decoding: try InputFile.read(place, limitBytes: 1 << 20), as: UTF8.self)
}

extension OptionSpec {
    /// What `trustedKeys` reads.
    static let trustedKey = OptionSpec(
        "--key", value: "KEY|@FILE",
        help: "the public key, or a file with keys (default: those of this machine's daemon)", isRepeatable: true,
        completion: .files)
}

/// The keys of --key, else those that lie in this machine's state directory.
func trustedKeys(_ invocation: Invocation) throws(CommandFailure) -> [NoteVerifier] {
    var texts: [String] = []
    for value in invocation.values("--key") {
        let text = value.hasPrefix("@") ? try textFile(String(value.dropFirst())) : value
        texts += text.split(separator: "\n").map(String.init)
    }
    if invocation.values("--key").isEmpty {
        let path = try local { () throws(DomeError) in try Directories() }.state + "/keys/public"
        guard Files.exists(path) else {
            throw .usage("there is no \(path) here; name the public key with --key ('dome keys show' prints it)")
        }
        texts = try textFile(path).split(separator: "\n").map(String.init)
    }
    var verifiers: [NoteVerifier] = []
    for text in texts where !text.isEmpty {
        verifiers.append(try local { () throws(DomeError) in try NoteVerifier(parsing: text) })
    }
    return verifiers
}

/// An event that a proof shows to be in a log.
struct ProvenEvent {
    let seq: UInt64
    let leaf: String
    let checkpoint: LogCheckpoint

    /// Throws what does not hold.
    init(_ text: String, by verifiers: [NoteVerifier]) throws(CommandFailure) {
        (seq, leaf, checkpoint) = try local { () throws(DomeError) in
            let proof = try LogProof(parsing: text)
            guard let leaf = proof.extra else {
                throw DomeError(
                    .invalidRequest, "the proof has no event in it (a line 'extra'), so there is nothing to check")
            }
            let checkpoint = try proof.verify(leaf: leaf, by: verifiers)
            return (proof.index + 1, String(decoding: leaf, as: UTF8.self), checkpoint)
        }
    }

    var place: String { "event \(seq) of \(checkpoint.size) in \(checkpoint.origin)" }
}

/// An in-toto statement in an envelope that a trusted key has signed.
struct SignedStatement {
    let signer: NoteVerifier
    let document: JSONValue

    /// Throws what does not hold.
    init(_ text: String, by verifiers: [NoteVerifier]) throws(CommandFailure) {
        (signer, document) = try local { () throws(DomeError) in
            let envelope = try DSSEEnvelope(parsing: text)
            guard let signer = try envelope.verified(by: verifiers) else {
                throw DomeError(
                    .invalidRequest, "the envelope is not signed by a key that is trusted here, or was changed since")
            }
            guard envelope.payloadType == DSSEEnvelope.inTotoType else {
                throw DomeError(.invalidRequest, "the envelope holds no in-toto statement but \(envelope.payloadType)")
            }
            let payload = String(decoding: envelope.payload, as: UTF8.self)
            return (signer, try JSONParser.parse(payload, what: "the statement"))
        }
    }

    private var details: JSONValue? { document["predicate"]?["runDetails"] }

    var job: String { details?["metadata"]?["invocationId"]?.stringValue ?? "" }

    /// The job's provenance as dome has it, byte for byte.
    var provenance: [UInt8]? {
        let documents = details?["byproducts"]?.arrayValue ?? []
        let one = documents.first { $0["name"]?.stringValue == "provenance.json" }
        return one?["content"]?.stringValue.flatMap { Base64.decode($0) }
    }

    /// Digest and name of each.
    var products: [String] {
        (document["subject"]?.arrayValue ?? []).map { subject in
            "\(subject["digest"]?["sha256"]?.stringValue ?? "")  \(subject["name"]?.stringValue ?? "")"
        }
    }
}
