internal import DomeCrypto
internal import DomeModel
internal import DomePlatform
internal import Glibc
internal import Synchronization

/// What jobs left, each content once: a file named by its SHA-256, of which the copies in the jobs' folders are hard
/// links. The file system counts who has it (docs/adr/0051-artifacts-by-content.md), so nothing can come apart: whatever
/// fails in here costs room and never bytes. Any number of threads at once; everything blocks.
struct ContentStore: Sendable {
    /// On the file system of the jobs' folders; made when it is needed.
    let folder: String

    private static let temporaryCount = Atomic<UInt64>(0)

    /// Makes the copy at `place`, whose bytes have that digest, and the store's file one. A copy that cannot share (no
    /// hard links there, too many of them) stays what it is.
    func share(_ place: String, _ digest: Digest) {
        let shard = folder + "/" + digest.hex.prefix(2)
        let content = shard + "/" + digest.hex
        do throws(DomeError) {
            try Files.makeDirectories(shard)
            if try Files.link(place, to: content) || Files.isSameFile(place, content) { return }
            // Bytes that a disk or a person changed must not become those of another job as well.
            if Files.isRegularFile(content), try SHA256.digest(ofFileAt: content).digest == digest {
                do throws(DomeError) { return try replace(place, by: content) } catch {
                    Log.debug("artifact.not_shared", ["path": place, "error": error.description])
                }
            } else {
                Log.error("artifact.damaged", ["path": content])
            }
            try replace(content, by: place)
        } catch {
            Log.debug("artifact.not_shared", ["path": place, "error": error.description])
        }
    }

    /// In one step: at any moment a whole file lies at `target`.
    private func replace(_ target: String, by source: String) throws(DomeError) {
        let number = Self.temporaryCount.add(1, ordering: .relaxed).newValue
        let temporary = "\(folder)/\(Files.processID)-\(number).tmp"
        defer { unlink(temporary) }
        unlink(temporary)
        guard try Files.link(source, to: temporary) else { throw .system("link \(temporary)", EEXIST) }
        try Files.rename(temporary, to: target)
    }

    /// Removes the contents that no job has any more, and what a try that died left; returns how many bytes those had. A
    /// content that a job comes to share meanwhile stays in that job's folder.
    @discardableResult
    func removeUnused() throws(DomeError) -> UInt64 {
        var freed: UInt64 = 0
        guard Files.isDirectory(folder) else { return freed }
        for name in try Files.list(folder) {
            let path = folder + "/" + name
            guard Files.isDirectory(path) else {
                // Taken from one that is just at it, it costs that one the sharing.
                unlink(path)
                continue
            }
            for content in try Files.list(path) {
                var status = stat()
                guard lstat(path + "/" + content, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
                    status.st_nlink == 1, unlink(path + "/" + content) == 0
                else { continue }
                freed &+= UInt64(clamping: status.st_size)
            }
        }
        return freed
    }
}
