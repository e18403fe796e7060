internal import CLinux
package import DomeModel
internal import Glibc

/// Who is at the other end of a Unix socket, as the kernel says.
package struct Peer: Sendable, Equatable {
    package var processID: Int32
    package var userID: UInt32
    package var groupID: UInt32
    /// Whether the peer lives in this process's user namespace; false also when that cannot be read.
    /// A jailed job reaches the socket with the user's own uid, but never from the same user namespace.
    package var sharesUserNamespace: Bool

    /// Reads SO_PEERCRED and compares /proc/PID/ns/user, holding the peer by pidfd where the kernel has
    /// SO_PEERPIDFD so that the pid cannot be reused meanwhile.
    package static func of(_ socket: FileDescriptor) throws(DomeError) -> Peer {
        var (pid, uid, gid) = (pid_t(0), uid_t(0), gid_t(0))
        guard dome_peer_credentials(socket.number, &pid, &uid, &gid) == 0 else {
            throw .system("read the peer's credentials", errno)
        }
        let pidfdNumber = dome_peer_pidfd(socket.number)
        let pidfd = pidfdNumber >= 0 ? FileDescriptor(owning: pidfdNumber) : nil
        var shares = sameUserNamespace(pid)
        // Signal 0 through the pidfd: still the process whose namespace was read.
        if shares, let pidfd, dome_pidfd_send_signal(pidfd.number, 0) != 0, errno == ESRCH { shares = false }
        return Peer(processID: pid, userID: uid, groupID: gid, sharesUserNamespace: shares)
    }

    /// Whether dome's processes may talk to it: same uid and same user namespace.
    package var isAdmissible: Bool { userID == geteuid() && sharesUserNamespace }

    private static func sameUserNamespace(_ pid: pid_t) -> Bool {
        guard pid > 0 else { return false }
        var (ownDevice, ownInode, device, inode) = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
        guard dome_stat_identity("/proc/self/ns/user", &ownDevice, &ownInode) == 0 else { return false }
        guard dome_stat_identity("/proc/\(pid)/ns/user", &device, &inode) == 0 else { return false }
        return ownDevice == device && ownInode == inode
    }
}
