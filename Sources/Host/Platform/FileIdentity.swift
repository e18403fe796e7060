internal import Glibc

/// Which file it is, and in which condition: what tells, in another mount namespace too, whether a file is the one that
/// was looked at. Its owner and device may look different there and are left out.
package struct FileIdentity: Sendable, Equatable {
    package let inode: UInt64
    private let byteCount: Int64
    private let modifiedNanoseconds: Int64
    /// Nobody can set this one back without setting the machine's clock.
    private let changedNanoseconds: Int64

    /// Of the regular file that `path` leads to; nil without one.
    package init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        inode = UInt64(status.st_ino)
        byteCount = Int64(status.st_size)
        modifiedNanoseconds = Self.nanoseconds(status.st_mtim)
        changedNanoseconds = Self.nanoseconds(status.st_ctim)
    }

    /// What `text` gave; nil for anything else.
    package init?(text: String) {
        let numbers = text.split(separator: ":", omittingEmptySubsequences: false).map { Int64($0) }
        guard numbers.count == 4, let inode = numbers[0], let byteCount = numbers[1], let modified = numbers[2],
            let changed = numbers[3]
        else { return nil }
        self.inode = UInt64(bitPattern: inode)
        (self.byteCount, modifiedNanoseconds, changedNanoseconds) = (byteCount, modified, changed)
    }

    package var text: String {
        "\(Int64(bitPattern: inode)):\(byteCount):\(modifiedNanoseconds):\(changedNanoseconds)"
    }

    private static func nanoseconds(_ time: timespec) -> Int64 {
        Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
    }
}
