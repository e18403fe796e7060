internal import Glibc

/// One datagram to a Unix socket.
package enum Datagram {
    /// False when nobody takes it. A leading @ in `path` stands for the abstract name space's NUL. Waits for room in the
    /// receiver's queue only if it may.
    package static func send(_ bytes: [UInt8], to path: String, mayWait: Bool) -> Bool {
        var name = Array(path.utf8)
        guard name.count > 1, name.count <= UnixSocket.pathLimitBytes else { return false }
        if name[0] == UInt8(ascii: "@") { name[0] = 0 }
        let number = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard number >= 0 else { return false }
        let descriptor = FileDescriptor(owning: number)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: name) }
        let flags = Int32(MSG_NOSIGNAL) | (mayWait ? 0 : Int32(MSG_DONTWAIT))
        let size = socklen_t(MemoryLayout<sa_family_t>.size + name.count)
        let count = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                sendto(descriptor.number, bytes, bytes.count, flags, address, size)
            }
        }
        return count == bytes.count
    }
}
