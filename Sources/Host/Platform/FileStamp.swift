package import Glibc

/// Tells whether a file changed since it was last looked at, for the price of one stat.
package struct FileStamp: Sendable, Hashable {
    private let parts: [Int64]

    /// The stamp of what `path` leads to now; all absent files have the same.
    package init(path: String) {
        var status = stat()
        self.init(stat(path, &status) == 0 ? status : nil)
    }

    /// The same of what stat(2) said; nil for an absent file.
    package init(_ status: stat?) {
        guard let status else {
            parts = []
            return
        }
        parts = [
            Int64(bitPattern: UInt64(status.st_dev)), Int64(bitPattern: UInt64(status.st_ino)),
            Int64(status.st_size), Int64(status.st_uid), Int64(status.st_mode), Int64(status.st_mtim.tv_sec),
            Int64(status.st_mtim.tv_nsec), Int64(status.st_ctim.tv_sec), Int64(status.st_ctim.tv_nsec),
        ]
    }
}
