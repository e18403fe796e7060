package import DomeModel
internal import Glibc

/// What hashing a file found.
package struct FileDigest: Sendable, Hashable {
    package let digest: Digest
    /// As many as were read; a file that grows meanwhile is hashed up to where its end was met.
    package let byteCount: UInt64
}

extension SHA256 {
    /// Hashes a file from its beginning, whatever the descriptor's position, in pieces of 128 KiB. Blocks.
    ///
    /// `what` names the file in errors. A file of more than `limitBytes` is E_INVALID_REQUEST.
    package static func digest(
        ofDescriptor descriptor: Int32, what: String, limitBytes: UInt64 = .max
    ) throws(DomeError) -> FileDigest {
        var hash = try SHA256()
        var total: UInt64 = 0
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 128 << 10, alignment: 16)
        defer { chunk.deallocate() }
        while true {
            let count = pread(descriptor, chunk.baseAddress, chunk.count, off_t(total))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw readFailure(what, errno) }
            if count == 0 { return FileDigest(digest: try hash.finish(), byteCount: total) }
            total += UInt64(count)
            guard total <= limitBytes else {
                throw DomeError(.invalidRequest, "\(what) is larger than the \(limitBytes) bytes allowed")
            }
            try hash.update(UnsafeRawBufferPointer(rebasing: chunk[..<count]))
        }
    }

    /// Hashes the file at `path`, following symbolic links. Blocks; a FIFO or device is E_INVALID_REQUEST.
    package static func digest(ofFileAt path: String, limitBytes: UInt64 = .max) throws(DomeError) -> FileDigest {
        // Non-blocking: opening a FIFO must not wait for its writer. Regular files ignore it.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw readFailure(path, errno) }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw readFailure(path, errno) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw DomeError(.invalidRequest, "cannot hash \(path): it is not a regular file")
        }
        return try digest(ofDescriptor: descriptor, what: path, limitBytes: limitBytes)
    }

    private static func readFailure(_ what: String, _ number: Int32) -> DomeError {
        let code: ErrorCode =
            switch number {
            case ENOENT, ENOTDIR: .notFound
            case EMFILE, ENFILE, ENOMEM: .resourceExhausted
            default: .internal
            }
        return DomeError(
            code, "cannot read \(what) to hash it: \(String(cString: strerror(number)))", cause: "errno \(number)")
    }
}
