internal import CLinux
package import DomeModel
internal import Glibc

extension Files {
    /// Removes a file or a whole folder; what is not there is no error. Never follows a link.
    ///
    /// Made for folders that hostile programs filled: names need not be text, folders may lie deeper than a path
    /// is long or a stack is high, and may forbid their owner to look inside. Folders within folders are therefore
    /// lifted to the top one by one, and everything is named relative to an open folder.
    package static func removeTree(_ path: String) throws(DomeError) {
        if unlink(path) == 0 || errno == ENOENT { return }
        guard errno == EISDIR || errno == EPERM else { throw .system("remove \(path)", errno) }
        let what = "remove \(path)"
        let top = try OpenFolder(AT_FDCWD, path, what)
        var lifted: UInt64 = 0
        var hasFolders = true
        while hasFolders {
            hasFolders = false
            top.rewind()
            while let name = top.next() {
                if try top.unlinkFile(name, what) { continue }
                hasFolders = true
                try clear(OpenFolder(top.number, name, what), liftingTo: top, &lifted, what)
                guard unlinkat(top.number, name, AT_REMOVEDIR) == 0 || errno == ENOENT else {
                    throw .system(what, errno)
                }
            }
        }
        guard rmdir(path) == 0 || errno == ENOENT else { throw .system(what, errno) }
    }

    /// Empties `folder`: its files go, and its folders that are not empty move to `top`.
    private static func clear(
        _ folder: OpenFolder, liftingTo top: OpenFolder, _ lifted: inout UInt64, _ what: String
    ) throws(DomeError) {
        while let name = folder.next() {
            if try folder.unlinkFile(name, what) || unlinkat(folder.number, name, AT_REMOVEDIR) == 0 { continue }
            // Moving a folder changes its `..`, which takes the right to write to it: opening sees to that.
            _ = try OpenFolder(folder.number, name, what)
            while renameat(folder.number, name, top.number, ".removed-\(lifted)") != 0 {
                // The name is taken: perhaps by one who wants this to fail.
                guard [EEXIST, ENOTEMPTY, ENOTDIR].contains(errno) else { throw .system(what, errno) }
                lifted += 1
            }
            lifted += 1
        }
    }
}

/// A folder held open while it is emptied.
private final class OpenFolder {
    private let stream: OpaquePointer
    /// O_PATH, which the Glibc module does not show.
    private static let pathOnly: Int32 = 0o10000000
    var number: Int32 { dirfd(stream) }

    /// Opens `name` within `parent`, not through a link, and gives its owner every right to it.
    init(_ parent: Int32, _ name: UnsafePointer<CChar>, _ what: String) throws(DomeError) {
        let flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
        var number = dome_openat(parent, name, flags, 0)
        if number < 0, errno == EACCES {
            let handle = dome_openat(parent, name, Self.pathOnly | O_DIRECTORY | O_NOFOLLOW, 0)
            guard handle >= 0 else { throw .system(what, errno) }
            defer { close(handle) }
            guard chmod("/proc/self/fd/\(handle)", 0o700) == 0 else { throw .system(what, errno) }
            number = dome_openat(parent, name, flags, 0)
        }
        guard number >= 0 else { throw .system(what, errno) }
        // If this is not ours to change, what follows says so.
        _ = fchmod(number, 0o700)
        guard let stream = fdopendir(number) else {
            let reason = errno
            close(number)
            throw .system(what, reason)
        }
        self.stream = stream
    }

    deinit { closedir(stream) }

    func rewind() { rewinddir(stream) }

    /// The next name but `.` and `..`, as bytes; valid until the next call.
    func next() -> UnsafePointer<CChar>? {
        while let entry = readdir(stream) {
            let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
            let name = (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self)
            if strcmp(name, ".") != 0, strcmp(name, "..") != 0 { return name }
        }
        return nil
    }

    /// Removes a file; false if it is a folder.
    func unlinkFile(_ name: UnsafePointer<CChar>, _ what: String) throws(DomeError) -> Bool {
        if unlinkat(number, name, 0) == 0 || errno == ENOENT { return true }
        guard errno == EISDIR || errno == EPERM else { throw .system(what, errno) }
        return false
    }
}
