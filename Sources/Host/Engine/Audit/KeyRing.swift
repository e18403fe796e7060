package import DomeAsync
package import DomeCrypto
package import DomeModel
internal import DomePlatform
internal import Glibc

/// The keys that checkpoints and provenance are signed with: `current`, the one private key (0600), and `public`, the
/// public keys of all there ever were, a line each, the newest last. Made once; rotated when somebody asks.
package actor KeyRing {
    private let executor: LoopExecutor
    private let folder: String
    package private(set) var signer: NoteSigner
    package private(set) var verifiers: [NoteVerifier]
    /// What the daemon began with; for parts that are made before anything runs.
    package nonisolated let firstSigner: NoteSigner

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private static let limitBytes = 64 << 10

    /// Reads the keys in `folder`, or makes the first one. Blocks. E_INTERNAL, with what to do, for a key that is damaged
    /// or that others may read.
    package init(folder: String, executor: LoopExecutor) throws(DomeError) {
        self.executor = executor
        self.folder = folder
        try Files.makeDirectories(folder)
        var verifiers = try Self.readPublic(folder + "/public")
        let path = folder + "/current"
        let signer: NoteSigner
        if Files.exists(path) {
            signer = try Self.readSecret(path)
        } else {
            var name = verifiers.last?.name ?? ""
            if name.isEmpty { name = "dome/" + Self.hex(try SecureRandom.bytes(8)) }
            signer = try NoteSigner(name: name, key: Ed25519PrivateKey())
            // The public one first: what is signed must be verifiable, whatever happens in between.
            try Self.write(verifiers + [signer.verifier], signer, folder)
            verifiers.append(signer.verifier)
        }
        if !verifiers.contains(signer.verifier) {
            verifiers.append(signer.verifier)
            try Self.write(verifiers, nil, folder)
        }
        self.signer = signer
        self.verifiers = verifiers
        firstSigner = signer
    }

    /// Names the log and its keys.
    package nonisolated var origin: String { firstSigner.verifier.name }

    /// Takes a new key into use. The old private key is gone then; its public half stays.
    package func rotate() throws(DomeError) -> NoteSigner {
        let next = try NoteSigner(name: origin, key: Ed25519PrivateKey())
        try Self.write(verifiers + [next.verifier], next, folder)
        verifiers.append(next.verifier)
        signer = next
        return next
    }

    private static func write(
        _ verifiers: [NoteVerifier], _ signer: NoteSigner?, _ folder: String
    ) throws(DomeError) {
        let lines = verifiers.map { $0.description + "\n" }.joined()
        try Files.writeAtomically(folder + "/public", Array(lines.utf8), mode: 0o644)
        guard let signer else { return }
        try Files.writeAtomically(folder + "/current", Array((signer.secretText + "\n").utf8), mode: 0o600)
    }

    private static func readPublic(_ path: String) throws(DomeError) -> [NoteVerifier] {
        guard Files.exists(path) else { return [] }
        let text = String(decoding: try Files.read(path, limitBytes: limitBytes), as: UTF8.self)
        var verifiers: [NoteVerifier] = []
        for line in text.split(separator: "\n") where !line.isEmpty {
            do throws(DomeError) { verifiers.append(try NoteVerifier(parsing: String(line))) } catch {
                throw DomeError(
                    .internal,
                    "\(path) has a line that is no public key; remove the line, or move the file away: the key in use is "
                        + "added again", cause: error.message)
            }
        }
        return verifiers
    }

    private static func readSecret(_ path: String) throws(DomeError) -> NoteSigner {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw DomeError.system("look at \(path)", errno) }
        guard status.st_mode & S_IFMT == S_IFREG, status.st_uid == geteuid(), status.st_mode & 0o077 == 0 else {
            throw DomeError(
                .internal,
                "\(path) must be a file of this user's that nobody else may read; if nobody did, chmod 600 it, else move "
                    + "it away: a new key is made then, and what the old one signed can still be verified")
        }
        let text = String(decoding: try Files.read(path, limitBytes: limitBytes), as: UTF8.self)
        do throws(DomeError) {
            return try NoteSigner(parsing: String(text.split(separator: "\n").first ?? ""))
        } catch {
            throw DomeError(
                .internal,
                "the private key \(path) is damaged; put a copy back, or move it away: a new key is made then, and what "
                    + "the old one signed can still be verified", cause: error.message)
        }
    }

    private static func hex(_ bytes: [UInt8]) -> String {
        bytes.map { String(UInt16($0) + 256, radix: 16).dropFirst() }.joined()
    }
}
