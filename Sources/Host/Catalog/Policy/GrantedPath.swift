import DomeModel
import Glibc

/// A path that somebody wants a job to see, resolved once: from here on only the result is used.
struct GrantedPath {
    /// Absolute, without symbolic links, `.` or `..`.
    let path: String
    /// What the jail must find there.
    private let device: UInt64
    private let inode: UInt64
    /// Whether the file or folder belongs to the user.
    let isOwned: Bool
    /// Whether it belongs to the system rather than to anybody: root owns these without having made them.
    let isSystem: Bool

    private static let systemFolders = [
        "/usr", "/etc", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/opt", "/var/lib", "/var/spool", "/var/log",
        "/var/cache", "/var/mail",
    ]

    /// Folders that a job has of its own: a mount there would take something away from it.
    private static let jobsOwn = ["/job", "/tmp", "/proc", "/dev", "/sys"]

    /// At the same place in the job, to be read.
    var mount: Mount { Mount(source: path, target: path, isWritable: false, device: device, inode: inode) }

    init(_ path: String, userID: UInt32, refuse: (String) -> PolicyRefusal) throws(PolicyRefusal) {
        guard let pointer = realpath(path, nil) else {
            throw refuse("cannot resolve the path: \(String(cString: strerror(errno)))")
        }
        defer { free(pointer) }
        guard let resolved = String(validatingCString: pointer) else {
            throw refuse("the resolved path is not valid UTF-8")
        }
        // A line break or an escape in a path would forge log lines and terminal output.
        guard resolved.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value != 0x7f }) else {
            throw refuse("the resolved path holds control characters")
        }
        guard !Self.jobsOwn.contains(resolved), resolved != "/", !resolved.hasPrefix("/job/") else {
            throw refuse("\(resolved) is a folder that every job has of its own")
        }
        var status = stat()
        guard lstat(resolved, &status) == 0 else {
            throw refuse("cannot look at the path: \(String(cString: strerror(errno)))")
        }
        let type = status.st_mode & S_IFMT
        guard type == S_IFDIR || type == S_IFREG else {
            throw refuse("it is neither a folder nor a regular file")
        }
        self.path = resolved
        device = UInt64(status.st_dev)
        inode = UInt64(status.st_ino)
        isOwned = status.st_uid == userID
        isSystem = Self.systemFolders.contains { folder in
            ProtectedPaths.contains(folder, resolved) || ProtectedPaths.contains(resolved, folder)
        }
    }

    /// Whether `path` is `outer`, as resolved on this disk, or lies below it.
    static func contains(_ outer: String, _ path: String) -> Bool {
        ProtectedPaths.contains(CatalogReader.resolved(outer) ?? outer, path)
    }
}
