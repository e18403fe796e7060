package import DomeModel
package import DomePlatform
internal import Glibc

/// Where a server's Unix socket comes from. Whether this process may serve at all is decided elsewhere, by the
/// lock in the state directory; here a path is bound that no living daemon loses.
package enum UnixListener {
    /// A listening socket at `path` with mode 0600, non-blocking. Its folder is created with mode 0700, or must
    /// be this user's own, no link, and writable by nobody else. A socket file that nobody answers on is
    /// replaced; one that answers, or any other kind of file, is left alone and is an error.
    package static func bind(path: String) throws(DomeError) -> FileDescriptor {
        guard path.utf8.count <= UnixSocket.pathLimitBytes else {
            throw DomeError(
                .invalidRequest,
                "socket path \(path) is \(path.utf8.count) bytes long, more than the \(UnixSocket.pathLimitBytes) a "
                    + "Unix socket allows; set XDG_RUNTIME_DIR or --socket to a shorter one")
        }
        guard path.hasPrefix("/"), let slash = path.lastIndex(of: "/") else {
            throw DomeError(.invalidRequest, "socket path \(path) is not absolute")
        }
        try secureFolder(slash == path.startIndex ? "/" : String(path[..<slash]))
        try clear(path)
        return try UnixSocket.listen(path: path, kind: .stream)
    }

    /// The admission of a Unix socket's connections: same user and same user namespace, as the kernel tells.
    package static func admit(_ socket: FileDescriptor) throws(DomeError) -> Peer? {
        let peer = try Peer.of(socket)
        guard peer.isAdmissible else {
            let why = peer.userID == geteuid() ? "another or unreadable user namespace" : "user id \(peer.userID)"
            throw DomeError(.policyDenied, "process \(peer.processID) may not connect: \(why)")
        }
        return peer
    }

    private static func secureFolder(_ folder: String) throws(DomeError) {
        if !Files.exists(folder) { try Files.makeDirectories(folder, mode: 0o700) }
        var status = stat()
        guard lstat(folder, &status) == 0 else { throw .system("inspect folder \(folder)", errno) }
        switch status.st_mode & S_IFMT {
        case S_IFDIR: break
        case S_IFLNK:
            throw DomeError(.policyDenied, "\(folder) is a symbolic link; remove it, or choose another with --socket")
        default:
            throw DomeError(.policyDenied, "\(folder) is not a folder; move it away, or choose another with --socket")
        }
        guard status.st_uid == geteuid() else {
            throw DomeError(
                .policyDenied,
                "folder \(folder) belongs to user id \(status.st_uid), not to you; remove it, or choose another "
                    + "with --socket")
        }
        guard status.st_mode & (S_IWGRP | S_IWOTH) == 0 else {
            throw DomeError(.policyDenied, "folder \(folder) is writable by others; run: chmod 700 \(folder)")
        }
    }

    private static func clear(_ path: String) throws(DomeError) {
        var status = stat()
        guard lstat(path, &status) == 0 else {
            guard errno == ENOENT else { throw .system("inspect \(path)", errno) }
            return
        }
        guard status.st_mode & S_IFMT == S_IFSOCK else {
            throw DomeError(.policyDenied, "\(path) is not a socket; move it away, or choose another with --socket")
        }
        let deadline = Clock.monotonicNanoseconds() + remnantNanoseconds
        while case let listener = try listener(path), listener != .none {
            guard listener == .dead, Clock.monotonicNanoseconds() < deadline else {
                throw DomeError(
                    .lockConflict, "a daemon is already listening on \(path); stop it, or choose another with --socket")
            }
            usleep(5_000)
        }
        Log.info("transport.stale_socket", ["path": path])
        guard unlink(path) == 0 || errno == ENOENT else { throw .system("remove the stale socket \(path)", errno) }
    }

    /// How long a dead daemon's socket may still be open: a program that it was just starting shares its files until
    /// exec, and nobody takes the connections.
    private static let remnantNanoseconds: Int64 = 2_000_000_000

    private enum Listener { case none, dead, living }

    /// Only a refused connection proves that nobody listens: a full backlog is life as well.
    private static func listener(_ path: String) throws(DomeError) -> Listener {
        let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_NONBLOCK | O_CLOEXEC, 0)
        guard number >= 0 else { throw .system("create a socket", errno) }
        let probe = FileDescriptor(owning: number)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(probe.number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
        guard status == 0 else { return [ECONNREFUSED, ENOENT].contains(errno) ? .none : .living }
        // Who began to listen, whoever has the socket now (unix(7), SO_PEERCRED).
        return ProcessHandle.startTicks(of: try Peer.of(probe).processID) == nil ? .dead : .living
    }
}
