internal import CLinux
internal import DomeModel
internal import Glibc

/// The root folder of another process, to look paths up in as that process would: symbolic links, absolute ones as well,
/// lead where they would lead it. Blocks as the disk does.
package struct ForeignRoot {
    /// What lies at a path.
    package enum Finding: Sendable, Equatable {
        /// Whether anybody may execute it.
        case file(isExecutable: Bool)
        case folder
        case nothing
        /// It cannot be told, for the errno given.
        case unknown(Int32)
    }

    private let root: FileDescriptor

    /// Nil if it cannot be opened, or is no file system of its own but this process's: then it says nothing that looking
    /// directly would not say.
    package init?(ofProcess processID: Int32) {
        guard let root = try? Files.open("/proc/\(processID)/root", dome_path_only() | O_DIRECTORY) else { return nil }
        var (theirs, ours) = (stat(), stat())
        guard fstat(root.number, &theirs) == 0, stat("/", &ours) == 0, theirs.st_dev != ours.st_dev else { return nil }
        self.root = root
    }

    /// - Parameter path: absolute.
    package func look(_ path: String) -> Finding {
        let number = dome_open_in_root(root.number, path, dome_path_only())
        guard number >= 0 else { return Self.finding(errno) }
        let file = FileDescriptor(owning: number)
        var status = stat()
        return fstat(file.number, &status) == 0 ? Self.finding(status) : .unknown(errno)
    }

    /// The same in this process's own root.
    package static func lookHere(_ path: String) -> Finding {
        var status = stat()
        return stat(path, &status) == 0 ? finding(status) : finding(errno)
    }

    private static func finding(_ error: Int32) -> Finding {
        error == ENOENT || error == ENOTDIR ? .nothing : .unknown(error)
    }

    private static func finding(_ status: stat) -> Finding {
        switch status.st_mode & S_IFMT {
        case S_IFDIR: .folder
        case S_IFREG: .file(isExecutable: status.st_mode & 0o111 != 0)
        default: .unknown(0)
        }
    }
}
