internal import DomeCrypto
package import DomeModel
internal import DomePlatform
internal import Glibc
internal import Synchronization

/// A file that a job left, open to be read: bytes that are not those of the record are an error, never an answer.
/// Reads may come from any thread; they block.
package final class KeptArtifact: Sendable {
    package let report: ArtifactReport
    private let file: FileDescriptor
    private let known: VerifiedFiles
    /// The condition in which its bytes were last found to be the record's.
    private let stamp: Mutex<FileStamp?> = Mutex(nil)

    /// Opens it and compares its SHA-256, unless that was done and nothing has touched the file since. E_INTERNAL if the
    /// copy is gone or another one.
    init(_ report: ArtifactReport, _ known: VerifiedFiles) throws(DomeError) {
        (self.report, self.known) = (report, known)
        do throws(DomeError) { file = try Files.open(report.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK) } catch {
            throw DomeError(.internal, "what the job left as '\(report.name)' is gone: \(error.message)")
        }
        try verify()
    }

    /// At most `count` bytes from `offset` on; fewer only at the end.
    package func read(at offset: UInt64, count: Int) throws(DomeError) -> [UInt8] {
        let size = Int(min(UInt64(clamping: count), report.byteCount - min(offset, report.byteCount)))
        var bytes = [UInt8](repeating: 0, count: size)
        var filled = 0
        while filled < size {
            let result = bytes.withUnsafeMutableBytes { raw in
                pread(file.number, raw.baseAddress.map { $0 + filled }, size - filled, off_t(offset) + off_t(filled))
            }
            if result < 0, errno == EINTR { continue }
            guard result >= 0 else { throw .system("read \(report.path)", errno) }
            guard result > 0 else { throw isAnother("it ends too early") }
            filled += result
        }
        // What was read before somebody changed the file would pass otherwise.
        try verify()
        return bytes
    }

    private func verify() throws(DomeError) {
        let now = try condition()
        if stamp.withLock({ $0 == now.stamp }) || known.contains(now.stamp, report.sha256) {
            return stamp.withLock { $0 = now.stamp }
        }
        let found = try SHA256.digest(ofDescriptor: file.number, what: report.path)
        guard found.digest.hex == report.sha256 else { throw isAnother("its SHA-256 is \(found.digest.hex)") }
        guard try condition().stamp == now.stamp else { throw isAnother("it was changed while it was read") }
        known.add(now.stamp, report.sha256, changedNanoseconds: now.changedNanoseconds)
        stamp.withLock { $0 = now.stamp }
    }

    private func condition() throws(DomeError) -> (stamp: FileStamp, changedNanoseconds: Int64) {
        var status = stat()
        guard fstat(file.number, &status) == 0 else { throw .system("examine \(report.path)", errno) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw isAnother("it is no regular file") }
        let changed = Int64(status.st_ctim.tv_sec) &* 1_000_000_000 &+ Int64(status.st_ctim.tv_nsec)
        return (FileStamp(status), changed)
    }

    private func isAnother(_ how: String) -> DomeError {
        DomeError(
            .internal,
            "\(report.path) is not what the job left: \(how), the record says \(report.sha256), "
                + "\(report.byteCount) bytes")
    }
}

/// Files whose digests are known, by the condition that they were in: a file that is read in a thousand ranges is hashed
/// once.
final class VerifiedFiles: Sendable {
    private let digests = Mutex<[FileStamp: String]>([:])
    private static let countLimit = 1_024

    func contains(_ stamp: FileStamp, _ digest: String) -> Bool { digests.withLock { $0[stamp] == digest } }

    /// A file that was changed a moment ago could be changed again within one tick of its clock, and look the same.
    func add(_ stamp: FileStamp, _ digest: String, changedNanoseconds: Int64) {
        guard Clock.wallNanoseconds() - changedNanoseconds > 1_000_000_000 else { return }
        digests.withLock { digests in
            if digests.count >= Self.countLimit { digests.removeAll(keepingCapacity: true) }
            digests[stamp] = digest
        }
    }
}
