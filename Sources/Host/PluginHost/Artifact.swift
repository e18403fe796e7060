internal import DomeModel
internal import DomePlatform
internal import Glibc

/// One file that a job is to leave, being written where nobody collects it, until it is whole.
final class Artifact {
    let name: String
    private let file: FileDescriptor
    private let workPath: String
    private let folder: ArtifactFolder
    private var hasFailed = false

    nonisolated(unsafe) private static var count = 0

    /// Errors: E_INVALID_REQUEST for a name that is no plain relative path or is taken.
    init(_ name: String, in folder: ArtifactFolder) throws(DomeError) {
        guard name.utf8.count <= 1024, PathText.isPlainRelative(name) else {
            throw DomeError(
                .invalidRequest, "artifact '\(name.prefix(128))' must be a relative path of plain components")
        }
        guard !Files.exists(folder.outputPath + "/" + name) else {
            throw DomeError(.invalidRequest, "artifact '\(name)' exists already")
        }
        try Files.makeDirectories(folder.workPath)
        Self.count += 1
        workPath = "\(folder.workPath)/\(Self.count)"
        file = try Files.open(workPath, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o644)
        (self.name, self.folder) = (name, folder)
    }

    /// How many bytes were taken, or -1.
    func write(_ bytes: UnsafeRawBufferPointer) -> Int64 {
        guard !hasFailed else { return -1 }
        guard !bytes.isEmpty else { return 0 }
        while true {
            let count = Glibc.write(file.number, bytes.baseAddress, bytes.count)
            if count < 0, errno == EINTR { continue }
            hasFailed = count < 0
            return Int64(count)
        }
    }

    /// Puts it in its place. False: it could not be, and is gone.
    func finish() -> Bool {
        let path = folder.outputPath + "/" + name
        do throws(DomeError) {
            guard !hasFailed else { throw DomeError(.internal, "a write failed") }
            if let slash = path.lastIndex(of: "/") { try Files.makeDirectories(String(path[..<slash]), mode: 0o755) }
            guard link(workPath, path) == 0 else { throw .system("keep \(path)", errno) }
            unlink(workPath)
            return true
        } catch {
            Log.warning("plugin.artifact_lost", ["artifact": name, "error": error.message])
            unlink(workPath)
            return false
        }
    }

    func discard() { unlink(workPath) }
}
