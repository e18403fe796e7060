internal import CLinux
package import DomeModel
internal import Glibc

/// What kind of file system a file lies on, and its space.
package struct FileSystem: Sendable, Equatable {
    package enum Kind: Sendable, Equatable {
        /// In memory.
        case tmpfs
        case cgroup2
        case other
    }

    package var kind: Kind
    package var totalBytes: UInt64
    package var freeBytes: UInt64
    /// Files, folders and links.
    package var usedFiles: UInt64
}

extension FileDescriptor {
    /// The file system that the file lies on.
    package func fileSystem() throws(DomeError) -> FileSystem {
        var (type, total, free, files) = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
        guard dome_file_system(number, &type, &total, &free, &files) == 0 else {
            throw .system("examine a file system", errno)
        }
        // TMPFS_MAGIC and CGROUP2_SUPER_MAGIC of linux/magic.h.
        let kind: FileSystem.Kind = type == 0x0102_1994 ? .tmpfs : type == 0x6367_7270 ? .cgroup2 : .other
        return FileSystem(kind: kind, totalBytes: total, freeBytes: free, usedFiles: files)
    }

    /// The folder `name` in this one, as a place only: what lies in it can be opened, itself not be listed. A symbolic
    /// link is refused.
    package func openPlace(_ name: String) throws(DomeError) -> FileDescriptor {
        let place = dome_open_place(number, name)
        guard place >= 0 else { throw .system("open folder \(name)", errno) }
        return FileDescriptor(owning: place)
    }
}
