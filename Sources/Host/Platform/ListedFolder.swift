internal import CLinux
package import Glibc

/// A folder whose entries are looked at by handle: a stat of `name` in an open folder walks no path, and some fifty are made
/// each time somebody wants to know whether a registry changed. Not thread-safe.
package final class ListedFolder {
    private let stream: OpaquePointer
    private var number: Int32 { dirfd(stream) }

    /// Nil if there is no such folder, or it cannot be read.
    package convenience init?(_ path: String) { self.init(path, at: AT_FDCWD) }

    /// The folder `name` in another.
    package convenience init?(_ name: String, in parent: ListedFolder) { self.init(name, at: parent.number) }

    private init?(_ name: String, at parent: Int32) {
        let number = dome_openat(parent, name, O_RDONLY | O_DIRECTORY | O_NONBLOCK | O_CLOEXEC, 0)
        guard number >= 0 else { return nil }
        guard let stream = fdopendir(number) else {
            close(number)
            return nil
        }
        self.stream = stream
    }

    deinit { closedir(stream) }

    /// Its entries' names, sorted, without `.` and `..`.
    package func names() -> [String] {
        rewinddir(stream)
        var names: [String] = []
        while let entry = readdir(stream) {
            let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
            let name = String(cString: (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self))
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }

    /// What stat(2) says of the folder itself.
    package var status: stat? {
        var status = stat()
        return fstat(number, &status) == 0 ? status : nil
    }

    /// What stat(2) says of what `name` in it leads to; nil if that is not there.
    package func status(of name: String) -> stat? {
        var status = stat()
        return fstatat(number, name, &status, 0) == 0 ? status : nil
    }
}
