internal import DomeCrypto
internal import DomeModel
internal import DomePlatform
internal import DomeStore
internal import Glibc

/// Copies the regular files below a job's /job/out, each with its SHA-256, to a folder of ours.
///
/// Nothing of the job is alive any more, yet nothing here counts on that: somebody outside may hold a descriptor that
/// the job gave away. No link is followed, nothing that could block is opened, and a file is read as far as it was
/// long when it was opened. Blocks: for a thread of its own.
final class ArtifactCollector {
    private let target: String
    private let limits: ArtifactLimits
    private var collection = ArtifactCollection()
    private var bytesLeft: UInt64
    private var namesLeft: Int
    private var isDiskFull = false
    /// The folder that the last file went to: it is there.
    private var lastFolder = ""
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 << 10, alignment: 4096)

    private init(_ target: String, _ limits: ArtifactLimits) {
        (self.target, self.limits) = (target, limits)
        (bytesLeft, namesLeft) = (limits.bytes, limits.names)
    }

    deinit { buffer.deallocate() }

    /// Copies to `target`, from which what an earlier try left is removed; throws if it cannot be. What is wrong with
    /// single files is among the collection's omissions.
    static func collect(
        _ work: FileDescriptor, to target: String, _ limits: ArtifactLimits
    ) throws(DomeError) -> ArtifactCollection {
        try Files.removeTree(target)
        let collector = ArtifactCollector(target, limits)
        do throws(DomeError) {
            switch try RawFolder.kind(of: ExitReport.outputFolder, in: work) {
            case .folder: collector.walk(try RawFolder(ExitReport.outputFolder, in: work), "", depth: 0)
            case .link: collector.omit("/job/out", .link)
            case .file, .special: collector.omit("/job/out", .special)
            case nil: break
            }
        } catch {
            collector.omit("/job/out", .unreadable)
        }
        return collector.collection
    }

    private func omit(_ path: String, _ reason: ArtifactOmissions.Reason, count: UInt64 = 1) {
        collection.omissions.add(path, reason, count: count)
    }

    // MARK: Folders

    /// - Parameter path: from /job/out to `folder`, with a slash at its end; empty for /job/out itself.
    private func walk(_ folder: RawFolder, _ path: String, depth: Int) {
        for name in names(of: folder, path) {
            let text = ArtifactName.encode(name.dropLast().map { UInt8(bitPattern: $0) })
            let whole = path + text
            guard text.utf8.count <= ArtifactName.nameLimitBytes, whole.utf8.count <= ArtifactName.pathLimitBytes else {
                omit(whole, .name)
                continue
            }
            do throws(DomeError) {
                switch try folder.kind(of: name) {
                case .link: omit(whole, .link)
                case .special: omit(whole, .special)
                case .folder where depth == limits.depth: omit(whole, .depth)
                case .folder: walk(try RawFolder(name, in: folder), whole + "/", depth: depth + 1)
                case .file: keep(name, in: folder, whole, path)
                }
            } catch {
                omit(whole, .unreadable)
            }
        }
    }

    /// The folder's names in their order, as far as names may be looked at.
    private func names(of folder: RawFolder, _ path: String) -> [[CChar]] {
        var names: [[CChar]] = []
        var uncounted: UInt64 = 0
        while let name = folder.next() {
            if namesLeft > 0 {
                namesLeft -= 1
                names.append(name)
            } else {
                uncounted += 1
                if uncounted == limits.countedNames { break }
            }
        }
        if uncounted > 0 { omit("/job/out/" + path, .names, count: uncounted) }
        return names.sorted { strcmp($0, $1) < 0 }
    }

    // MARK: Files

    private func keep(_ name: [CChar], in folder: RawFolder, _ path: String, _ folderPath: String) {
        guard collection.artifacts.count < limits.files else { return omit(path, .files) }
        guard !isDiskFull else { return omit(path, .disk) }
        let source: (file: FileDescriptor, size: UInt64)
        do throws(DomeError) { source = try folder.openFile(name) } catch { return omit(path, .unreadable) }
        guard source.size <= bytesLeft else { return omit(path, .bytes) }
        do throws(DomeError) {
            try makeFolder(folderPath)
            guard hasSpace(source.size) else { throw DomeError.system("copy", ENOSPC) }
            guard let copy = try copy(source.file, source.size, to: target + "/" + path) else {
                return omit(path, .unreadable)
            }
            bytesLeft -= copy.byteCount
            collection.artifacts.append(
                Artifact(kind: "file", path: path, sha256: copy.digest, byteCount: copy.byteCount))
        } catch {
            // Smaller files might still find room, but the job's end needs it more.
            isDiskFull = true
            Log.warning("artifacts.not_written", ["path": target, "error": error.description])
            omit(path, .disk)
        }
    }

    private func makeFolder(_ path: String) throws(DomeError) {
        guard lastFolder != path || collection.artifacts.isEmpty else { return }
        try Files.makeDirectories(path.isEmpty ? target : target + "/" + path.dropLast())
        lastFolder = path
    }

    private func hasSpace(_ bytes: UInt64) -> Bool {
        var status = statvfs()
        guard statvfs(target, &status) == 0 else { return true }
        let (free, isHuge) = UInt64(status.f_bavail).multipliedReportingOverflow(by: UInt64(status.f_frsize))
        return isHuge || free >= bytes.addingReportingOverflow(limits.spareDiskBytes).partialValue
    }

    /// Copies at most `size` bytes; nil if they cannot be read. Throws, and leaves nothing, if they cannot be written.
    private func copy(
        _ source: FileDescriptor, _ size: UInt64, to path: String
    ) throws(DomeError) -> (digest: Digest, byteCount: UInt64)? {
        let copy = try Files.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
        var isWhole = false
        defer { if !isWhole { unlink(path) } }
        var hash = try SHA256()
        var total: UInt64 = 0
        while total < size {
            let wanted = Int(min(UInt64(buffer.count), size - total))
            let count = read(source.number, buffer.baseAddress, wanted)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { return nil }
            if count == 0 { break }
            let chunk = UnsafeRawBufferPointer(rebasing: buffer[..<count])
            try hash.update(chunk)
            try copy.writeAll(chunk, what: path)
            total += UInt64(count)
        }
        isWhole = true
        return (try hash.finish(), total)
    }
}
