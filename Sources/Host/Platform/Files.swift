internal import CLinux
package import DomeModel
internal import Glibc
internal import Synchronization

/// Small whole-file operations with errors that name the path.
package enum Files {
    /// This process's effective user id.
    package static var userID: UInt32 { geteuid() }
    package static var processID: Int32 { getpid() }

    package static func open(_ path: String, _ flags: Int32, mode: UInt32 = 0o600) throws(DomeError) -> FileDescriptor {
        let number = dome_open(path, flags, mode)
        guard number >= 0 else { throw .system("open \(path)", errno) }
        return FileDescriptor(owning: number)
    }

    /// The whole file; one larger than `limitBytes` is an error.
    package static func read(_ path: String, limitBytes: Int) throws(DomeError) -> [UInt8] {
        try read(open(path, O_RDONLY | O_NONBLOCK), what: path, limitBytes: limitBytes)
    }

    /// What is left to read of an open file; more than `limitBytes` is an error. `what` names it in errors.
    package static func read(_ file: FileDescriptor, what: String, limitBytes: Int) throws(DomeError) -> [UInt8] {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = Glibc.read(file.number, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .system("read \(what)", errno) }
            if count == 0 { return bytes }
            bytes.append(contentsOf: chunk[..<count])
            guard bytes.count <= limitBytes else {
                throw DomeError(.invalidRequest, "\(what) is larger than the \(limitBytes) bytes allowed")
            }
        }
    }

    /// Writes all of `bytes` at the descriptor's position.
    package static func writeAll(_ file: FileDescriptor, _ bytes: [UInt8], what: String) throws(DomeError) {
        try bytes.withBytes { raw throws(DomeError) in try file.writeAll(raw, what: what) }
    }

    /// Tells apart the threads that replace one file at the same time.
    private static let temporaryCount = Atomic<UInt64>(0)

    /// Replaces `path` in one step: readers see the old bytes or the new ones, also after a crash.
    package static func writeAtomically(_ path: String, _ bytes: [UInt8], mode: UInt32 = 0o600) throws(DomeError) {
        let number = temporaryCount.add(1, ordering: .relaxed).newValue
        let temporary = "\(path).\(getpid())-\(number).tmp"
        unlink(temporary)
        let file = try open(temporary, O_WRONLY | O_CREAT | O_EXCL, mode: mode)
        do throws(DomeError) {
            try writeAll(file, bytes, what: temporary)
            guard fdatasync(file.number) == 0 else { throw DomeError.system("sync \(temporary)", errno) }
            guard Glibc.rename(temporary, path) == 0 else {
                throw DomeError.system("rename \(temporary) to \(path)", errno)
            }
        } catch {
            unlink(temporary)
            throw error
        }
    }

    /// Creates the folder and its parents; those it creates get `mode`.
    package static func makeDirectories(_ path: String, mode: UInt32 = 0o700) throws(DomeError) {
        if mkdir(path, mode) == 0 || errno == EEXIST && isDirectory(path) { return }
        let reason = errno
        guard reason == ENOENT, let slash = path.lastIndex(of: "/"), slash != path.startIndex else {
            throw .system("create folder \(path)", reason == EEXIST ? ENOTDIR : reason)
        }
        try makeDirectories(String(path[..<slash]), mode: mode)
        guard mkdir(path, mode) == 0 || errno == EEXIST else { throw .system("create folder \(path)", errno) }
    }

    /// A descriptor for wherever stderr goes, for a child that logs to the same place.
    package static func duplicateStandardError() throws(DomeError) -> FileDescriptor {
        let copy = fcntl(2, F_DUPFD_CLOEXEC, 3)
        guard copy >= 0 else { throw .system("duplicate stderr", errno) }
        return FileDescriptor(owning: copy)
    }

    /// Renames; what was at `target` is replaced if it may be.
    package static func rename(_ path: String, to target: String) throws(DomeError) {
        guard Glibc.rename(path, target) == 0 else { throw .system("rename \(path) to \(target)", errno) }
    }

    /// Gives a file a second name; false if something has that name.
    package static func link(_ path: String, to name: String) throws(DomeError) -> Bool {
        if Glibc.link(path, name) == 0 { return true }
        guard errno == EEXIST else { throw .system("link \(path) to \(name)", errno) }
        return false
    }

    /// Creates an empty file with mode 0600; one that is there is an error.
    package static func createEmpty(_ path: String) throws(DomeError) {
        _ = try open(path, O_WRONLY | O_CREAT | O_EXCL)
    }

    /// Whether a plain file without any content lies at `path` itself.
    package static func isEmptyFile(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG && status.st_size == 0
    }

    package static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Whether both paths lead to one file (device and inode); false when either leads nowhere.
    package static func isSameFile(_ left: String, _ right: String) -> Bool {
        var (leftStatus, rightStatus) = (stat(), stat())
        guard stat(left, &leftStatus) == 0, stat(right, &rightStatus) == 0 else { return false }
        return leftStatus.st_dev == rightStatus.st_dev && leftStatus.st_ino == rightStatus.st_ino
    }

    /// Whether everybody may read what lies at `path`: a file, or a folder with what is directly in it; programs may be
    /// executed too.
    package static func isOpenToAll(_ path: String) -> Bool {
        var status = stat()
        guard stat(path, &status) == 0 else { return false }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            let needed: mode_t = status.st_mode & 0o100 == 0 ? 0o004 : 0o005
            return status.st_mode & needed == needed
        }
        guard status.st_mode & 0o005 == 0o005, let names = try? list(path) else { return false }
        return names.allSatisfy { name in
            stat(path + "/" + name, &status) == 0 && status.st_mode & 0o004 != 0
        }
    }

    /// Whether a regular file lies at `path` itself, not behind a symbolic link.
    package static func isRegularFile(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
    }

    package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// The names in a folder, sorted, without `.` and `..`.
    package static func list(_ path: String) throws(DomeError) -> [String] {
        guard let directory = opendir(path) else { throw .system("list \(path)", errno) }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
