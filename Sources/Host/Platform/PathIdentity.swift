internal import Glibc

/// What lies at a path, whatever it is: another socket at the same path is another one.
package struct PathIdentity: Sendable, Equatable {
    private let device: UInt64
    private let inode: UInt64
    /// An inode number may be used again at once.
    private let changedSeconds: Int64
    private let changedNanoseconds: Int64

    /// Nil if nothing is there.
    package init?(_ path: String) {
        var status = stat()
        guard lstat(path, &status) == 0 else { return nil }
        (device, inode) = (UInt64(status.st_dev), UInt64(status.st_ino))
        (changedSeconds, changedNanoseconds) = (Int64(status.st_ctim.tv_sec), Int64(status.st_ctim.tv_nsec))
    }
}
