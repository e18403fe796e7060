internal import DomeCrypto
internal import DomeModel
internal import DomePlatform
internal import DomeStore
internal import Glibc

/// A job's artifacts being copied to a folder of ours, each with its SHA-256, within the limits. What does not come to
/// be is among the collection's omissions. Blocks; not thread-safe.
final class ArtifactCopies {
    let limits: ArtifactLimits
    private let target: String
    private let content: ContentStore?
    private(set) var collection = ArtifactCollection()
    private var bytesLeft: UInt64
    private var isDiskFull = false
    /// The folder that the last file went to: it is there.
    private var lastFolder: String?

    /// Copies go to `target`, from which what an earlier try left is removed; throws if it cannot be. What `content` has
    /// already becomes one with it.
    init(_ target: String, _ limits: ArtifactLimits, sharing content: ContentStore? = nil) throws(DomeError) {
        try Files.removeTree(target)
        (self.target, self.limits, self.content, bytesLeft) = (target, limits, content, limits.bytes)
    }

    func omit(_ path: String, _ reason: ArtifactOmissions.Reason, count: UInt64 = 1) {
        collection.omissions.add(path, reason, count: count)
    }

    /// Whether `path` is spelled within the limits; omitted if it is not.
    func isNamedWell(_ path: String, _ name: String) -> Bool {
        let isShort =
            name.utf8.count <= ArtifactName.nameLimitBytes && path.utf8.count <= ArtifactName.pathLimitBytes
        if !isShort { omit(path, .name) }
        return isShort
    }

    /// Whether there is place for one more; omitted if there is not.
    func hasPlace(for path: String) -> Bool {
        guard collection.artifacts.count < limits.files else {
            omit(path, .files)
            return false
        }
        if isDiskFull { omit(path, .disk) }
        return !isDiskFull
    }

    /// Begins a copy of a file that is `size` bytes long; nil, and omitted, if there is no room for it.
    func begin(_ path: String, size: UInt64) -> ArtifactCopy? {
        guard hasPlace(for: path) else { return nil }
        guard size <= bytesLeft else {
            omit(path, .bytes)
            return nil
        }
        do throws(DomeError) {
            try makeFolder(path.utf8.lastIndex(of: UInt8(ascii: "/")).map { String(path[..<$0]) } ?? "")
            guard hasSpace(size) else { throw DomeError.system("copy", ENOSPC) }
            return try ArtifactCopy(path, in: target)
        } catch {
            diskRefused(path, error)
            return nil
        }
    }

    /// Adds bytes; false, and omitted, if they cannot be written.
    func write(_ bytes: UnsafeRawBufferPointer, to copy: ArtifactCopy) -> Bool {
        do throws(DomeError) {
            try copy.write(bytes)
            return true
        } catch {
            diskRefused(copy.path, error)
            return false
        }
    }

    /// Keeps a copy that is whole.
    func keep(_ copy: ArtifactCopy) {
        do throws(DomeError) {
            let digest = try copy.finish()
            content?.share(copy.place, digest)
            bytesLeft -= min(bytesLeft, copy.byteCount)
            collection.artifacts.append(
                Artifact(kind: "file", path: copy.path, sha256: digest, byteCount: copy.byteCount))
        } catch {
            diskRefused(copy.path, error)
        }
    }

    private func diskRefused(_ path: String, _ error: DomeError) {
        // Smaller files might still find room, but the job's end needs it more.
        isDiskFull = true
        Log.warning("artifacts.not_written", ["path": target, "error": error.description])
        omit(path, .disk)
    }

    private func makeFolder(_ path: String) throws(DomeError) {
        // As bytes: two spellings of one text are two folders.
        guard lastFolder.map({ $0.utf8.elementsEqual(path.utf8) }) != true else { return }
        try Files.makeDirectories(path.isEmpty ? target : target + "/" + path)
        lastFolder = path
    }

    private func hasSpace(_ bytes: UInt64) -> Bool {
        var status = statvfs()
        guard statvfs(target, &status) == 0 else { return true }
        let (free, isHuge) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return isHuge || free >= bytes.addingReportingOverflow(limits.spareDiskBytes).partialValue
    }
}

/// One file being copied. It is gone with this unless it was finished.
final class ArtifactCopy {
    let path: String
    private(set) var byteCount: UInt64 = 0
    fileprivate let place: String
    private let file: FileDescriptor
    /// Other jobs may come to have the same file: nobody is to write to it in passing.
    private static let mode: UInt32 = 0o400
    /// Nil once it is finished.
    private var hash: SHA256?
    private var isWhole = false

    fileprivate init(_ path: String, in folder: String) throws(DomeError) {
        (self.path, place) = (path, folder + "/" + path)
        hash = try SHA256()
        file = try Files.open(place, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: Self.mode)
    }

    deinit { if !isWhole { unlink(place) } }

    fileprivate func write(_ bytes: UnsafeRawBufferPointer) throws(DomeError) {
        try hash?.update(bytes)
        try file.writeAll(bytes, what: place)
        byteCount += UInt64(bytes.count)
    }

    fileprivate func finish() throws(DomeError) -> Digest {
        guard let hash = hash.take() else { throw DomeError(.internal, "\(path) was finished before") }
        let digest = try hash.finish()
        isWhole = true
        return digest
    }
}
