import DomeCrypto
import DomeModel
import DomePlatform
import DomeSchema

/// What a release consists of (daemons-release-manifest.json), and whether the files beside it are that.
struct ReleaseManifest {
    struct Artifact {
        var name: String
        var sha256: String
        var byteCount: Int64
        var signature: [UInt8]
    }

    /// What was found out about one.
    struct Finding {
        var name: String
        /// Empty: all is well.
        var problem: String
    }

    let version: String
    let artifacts: [Artifact]
    private static let artifactLimitBytes = 1 << 30

    /// Reads the manifest and holds it against the schema at `schemaPath`.
    init(path: String, schemaPath: String) throws(DomeError) {
        let document = try JSONParser.parse(try Files.read(path, limitBytes: 4 << 20), what: path)
        let schema = try JSONSchema.compile(
            try JSONParser.parse(try Files.read(schemaPath, limitBytes: 1 << 20), what: schemaPath), what: schemaPath)
        if let violation = schema.validate(document).first {
            throw DomeError(
                .invalidRequest, "\(path) is no release manifest: \(violation.pointer): \(violation.message)")
        }
        version = document["version"]?.stringValue ?? ""
        guard document["tag"]?.stringValue == "daemons-v" + version else {
            throw DomeError(.invalidRequest, "\(path): the tag is not that of version \(version)")
        }
        var found: [Artifact] = []
        for entry in document["artifacts"]?.arrayValue ?? [] {
            let name = entry["name"]?.stringValue ?? ""
            guard !found.contains(where: { $0.name == name }) else {
                throw DomeError(.invalidRequest, "\(path): the artifact \(name) stands twice")
            }
            found.append(
                Artifact(
                    name: name, sha256: entry["sha256"]?.stringValue ?? "",
                    byteCount: entry["size"]?.integerValue ?? 0,
                    signature: entry["signature"]?.stringValue.flatMap { Base64.decode($0) } ?? []))
        }
        artifacts = found
    }

    /// Compares size, SHA-256 and, with a key, the signature of each artifact in `folder`.
    func verify(folder: String, key: Ed25519PublicKey?) -> [Finding] {
        artifacts.map { Finding(name: $0.name, problem: problem(of: $0, folder + "/" + $0.name, key)) }
    }

    private func problem(of artifact: Artifact, _ path: String, _ key: Ed25519PublicKey?) -> String {
        guard Files.exists(path) else { return "not there: \(path)" }
        do throws(DomeError) {
            let bytes = try Files.read(path, limitBytes: Self.artifactLimitBytes)
            guard bytes.count == artifact.byteCount else {
                return "has \(bytes.count) bytes, not \(artifact.byteCount)"
            }
            guard try SHA256.digest(bytes).hex == artifact.sha256 else { return "has another SHA-256" }
            if let key, try !key.verifies(artifact.signature, of: bytes) { return "is not signed by this key" }
            return ""
        } catch {
            return error.message
        }
    }

    /// A public key as `openssl pkey -pubout` writes it, or its 32 bytes in Base64.
    static func publicKey(path: String) throws(DomeError) -> Ed25519PublicKey {
        let text = String(decoding: try Files.read(path, limitBytes: 64 << 10), as: UTF8.self)
        let body = text.split(separator: "\n").filter { !$0.hasPrefix("-----") }.joined()
        let prefix: [UInt8] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]
        guard let bytes = Base64.decode(body) else {
            throw DomeError(.invalidRequest, "\(path) is no public key: it is not in Base64")
        }
        if bytes.count == prefix.count + Ed25519PublicKey.byteCount, bytes.starts(with: prefix) {
            return try Ed25519PublicKey(bytes: Array(bytes.dropFirst(prefix.count)))
        }
        guard bytes.count == Ed25519PublicKey.byteCount else {
            throw DomeError(.invalidRequest, "\(path) is no Ed25519 public key")
        }
        return try Ed25519PublicKey(bytes: bytes)
    }
}
