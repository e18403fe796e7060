internal import DomeAsync
internal import DomeClient
internal import DomeCrypto
internal import DomeModel
internal import DomePlatform
internal import Glibc

/// The daemon's copy of a file that a job left, whose bytes are those of the record.
struct ArtifactFile {
    /// Larger images are read in pieces, as bytes: no client shows them.
    static let imageLimitBytes = 4 << 20

    let artifact: Artifact
    private let file: DomePlatform.FileDescriptor

    /// Finds the artifact in the job's record, opens the copy, and compares its SHA-256.
    @Core
    static func open(_ client: DaemonClient, _ jobID: String, _ name: String) async throws(ToolFailure) -> ArtifactFile
    {
        let job = try await asking(nil) { () async throws(ClientError) in try await client.job(jobID) }
        guard let artifact = job.artifacts.first(where: { $0.name == name }) else {
            let names = job.artifacts.prefix(20).map(\.name).joined(separator: ", ")
            throw ToolFailure(
                code: "E_NOT_FOUND", message: "\(jobID) has no artifact \"\(name.prefix(200))\"",
                hint: names.isEmpty
                    ? "It has none at all: a job leaves files in /job/out, and they are there once it ended."
                    : "It has: \(names).")
        }
        return try ArtifactFile(artifact)
    }

    private init(_ artifact: Artifact) throws(ToolFailure) {
        self.artifact = artifact
        let digest: String
        do throws(DomeError) {
            file = try Files.open(artifact.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
            digest = try SHA256.digest(ofDescriptor: file.number, what: artifact.path).digest.hex
        } catch {
            throw ToolFailure(
                code: error.code.name, message: error.message,
                hint: "Artifacts are read where the daemon keeps them: on its machine, as its user.")
        }
        guard digest == artifact.sha256 else {
            throw ToolFailure(
                code: "E_INTERNAL", message: "\(artifact.path) is not what the job left: its SHA-256 is \(digest)",
                hint: "Do not rely on this file; run the job again.")
        }
    }

    /// At most `count` bytes from `offset` on.
    func read(at offset: UInt64, count: Int) throws(ToolFailure) -> [UInt8] {
        let size = Int(min(UInt64(count), artifact.byteCount - min(offset, artifact.byteCount)))
        var bytes = [UInt8](repeating: 0, count: size)
        var filled = 0
        while filled < size {
            let result = bytes.withUnsafeMutableBytes { raw in
                pread(file.number, raw.baseAddress.map { $0 + filled }, size - filled, off_t(offset) + off_t(filled))
            }
            if result < 0, errno == EINTR { continue }
            guard result > 0 else {
                throw ToolFailure(
                    code: "E_INTERNAL", message: "cannot read \(artifact.path)", hint: "Run the job again.")
            }
            filled += result
        }
        return bytes
    }

    /// The media type of an image that clients show, by the file's first bytes; nil for anything else.
    func imageType() throws(ToolFailure) -> String? {
        guard artifact.byteCount <= UInt64(Self.imageLimitBytes) else { return nil }
        let start = try read(at: 0, count: 12)
        if start.starts(with: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) { return "image/png" }
        if start.starts(with: [0xff, 0xd8, 0xff]) { return "image/jpeg" }
        if start.starts(with: Array("GIF8".utf8)) { return "image/gif" }
        if start.starts(with: Array("RIFF".utf8)), start.suffix(4) == Array("WEBP".utf8)[...] { return "image/webp" }
        return nil
    }
}
