internal import CLinux
package import DomeModel
internal import Glibc

/// A folder whose content is not to be trusted: names are bytes, nothing is opened through a link, out of the folder or
/// into another mount, and no call waits for anybody. Blocks only as the disk does; not thread-safe.
package final class RawFolder {
    /// What a name stands for.
    package enum Kind: Sendable, Equatable {
        case file
        case folder
        case link
        /// FIFO, socket, device.
        case special

        init(mode: mode_t) {
            switch mode & S_IFMT {
            case S_IFREG: self = .file
            case S_IFDIR: self = .folder
            case S_IFLNK: self = .link
            default: self = .special
            }
        }
    }

    private let stream: OpaquePointer
    private var number: Int32 { dirfd(stream) }

    /// Opens the folder `name` within `parent`.
    package convenience init(_ name: [CChar], in parent: RawFolder) throws(DomeError) {
        try self.init(name, in: parent.number)
    }

    /// The same within an open folder that is not read itself.
    package convenience init(_ name: String, in parent: FileDescriptor) throws(DomeError) {
        try self.init(Array(name.utf8CString), in: parent.number)
    }

    private init(_ name: [CChar], in parent: Int32) throws(DomeError) {
        let number = try Self.open(name, in: parent, O_RDONLY | O_DIRECTORY)
        guard let stream = fdopendir(number) else {
            let reason = errno
            close(number)
            throw .system("read a folder", reason)
        }
        self.stream = stream
    }

    deinit { closedir(stream) }

    /// The next name but `.` and `..`, with its final zero; nil at the end.
    package func next() -> [CChar]? {
        while let entry = readdir(stream) {
            let offset = MemoryLayout<dirent>.offset(of: \.d_name) ?? 0
            let start = (UnsafeRawPointer(entry) + offset).assumingMemoryBound(to: CChar.self)
            if strcmp(start, ".") == 0 || strcmp(start, "..") == 0 { continue }
            return [CChar](UnsafeBufferPointer(start: start, count: strlen(start) + 1))
        }
        return nil
    }

    /// What `name` stands for.
    package func kind(of name: [CChar]) throws(DomeError) -> Kind {
        guard let kind = try Self.kind(name, in: number) else { throw .system("look at it", ENOENT) }
        return kind
    }

    /// What `name` in an open folder stands for; nil if there is no such name.
    package static func kind(of name: String, in folder: FileDescriptor) throws(DomeError) -> Kind? {
        try kind(Array(name.utf8CString), in: folder.number)
    }

    /// Whether there is such a name in an open folder, or no telling. Takes one system call.
    package static func mayHave(_ name: String, in folder: FileDescriptor) -> Bool {
        do throws(DomeError) { return try kind(of: name, in: folder) != nil } catch { return true }
    }

    private static func kind(_ name: [CChar], in folder: Int32) throws(DomeError) -> Kind? {
        var status = stat()
        var result = fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW)
        if result != 0, errno == EACCES {
            allow(folder)
            result = fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW)
        }
        if result == 0 { return Kind(mode: status.st_mode) }
        guard errno == ENOENT else { throw .system("look at it", errno) }
        return nil
    }

    /// Opens a regular file for reading and tells its size. A FIFO or device in its place is E_INVALID_REQUEST.
    package func openFile(_ name: [CChar]) throws(DomeError) -> (file: FileDescriptor, size: UInt64) {
        let file = FileDescriptor(owning: try Self.open(name, in: number, O_RDONLY | O_NONBLOCK | O_NOCTTY))
        var status = stat()
        guard fstat(file.number, &status) == 0 else { throw .system("look at it", errno) }
        guard Kind(mode: status.st_mode) == .file else { throw DomeError(.invalidRequest, "it is not a regular file") }
        return (file, UInt64(max(0, status.st_size)))
    }

    /// Opens beneath `parent`; what its owner has forbidden himself he gets the right to.
    private static func open(_ name: [CChar], in parent: Int32, _ flags: Int32) throws(DomeError) -> Int32 {
        var number = dome_open_beneath(parent, name, flags)
        if number < 0, errno == EACCES {
            allow(parent)
            try permit(name, in: parent)
            number = dome_open_beneath(parent, name, flags)
        }
        guard number >= 0 else { throw .system("open it", errno) }
        return number
    }

    /// Lets a folder's owner search it; if it is not ours, the next call says so.
    private static func allow(_ folder: Int32) { _ = chmod("/proc/self/fd/\(folder)", 0o700) }

    /// By a handle, which cannot be a link; a FIFO or device is left as it is.
    private static func permit(_ name: [CChar], in parent: Int32) throws(DomeError) {
        let handle = dome_open_beneath(parent, name, dome_path_only() | O_NOFOLLOW)
        guard handle >= 0 else { throw .system("open it", errno) }
        defer { close(handle) }
        var status = stat()
        guard fstat(handle, &status) == 0 else { throw .system("look at it", errno) }
        guard [.file, .folder].contains(Kind(mode: status.st_mode)) else {
            throw DomeError(.invalidRequest, "it is not a regular file")
        }
        guard chmod("/proc/self/fd/\(handle)", 0o700) == 0 else { throw .system("open it", errno) }
    }
}
