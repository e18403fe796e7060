internal import CLinux
package import DomeModel
internal import Glibc

/// Bytes in a sealed memfd: they cross a socket as one descriptor, and nobody can change them on the way.
package enum SealedMemory {
    /// A descriptor that holds `bytes`, sealed, at position 0.
    package static func make(named name: String, _ bytes: UnsafeRawBufferPointer) throws(DomeError) -> FileDescriptor {
        let number = dome_memfd(name)
        guard number >= 0 else { throw .system("create memory \(name)", errno) }
        let memory = FileDescriptor(owning: number)
        var offset = 0
        while offset < bytes.count, let base = bytes.baseAddress {
            let count = pwrite(number, base + offset, bytes.count - offset, off_t(offset))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .system("fill memory \(name)", errno) }
            offset += count
        }
        guard dome_memfd_seal(number) == 0 else { throw .system("seal memory \(name)", errno) }
        return memory
    }

    /// The bytes of a descriptor received from a peer. It must be sealed (so that nothing changes while it is
    /// read, and reading never blocks) and hold at most `limitBytes`.
    package static func read(_ memory: FileDescriptor, limitBytes: Int) throws(DomeError) -> [UInt8] {
        guard dome_memfd_is_sealed(memory.number) == 1 else {
            throw DomeError(.internal, "descriptor \(memory.number) is not sealed memory")
        }
        var status = stat()
        guard fstat(memory.number, &status) == 0 else { throw .system("size memory \(memory.number)", errno) }
        guard status.st_size <= limitBytes else {
            throw DomeError(.internal, "memory of \(status.st_size) bytes exceeds the \(limitBytes) allowed")
        }
        var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeMutableBytes { raw -> Int in
                guard let base = raw.baseAddress else { return 0 }
                return pread(memory.number, base + offset, raw.count - offset, off_t(offset))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw .system("read memory \(memory.number)", errno) }
            offset += count
        }
        return bytes
    }
}
