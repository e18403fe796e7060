internal import CCrypto
package import DomeModel

/// SHA-256 (FIPS 180-4), incremental: make one, `update` it any number of times, `finish` it once.
/// Not thread-safe; independent instances are independent.
package struct SHA256: ~Copyable {
    private let context: OpaquePointer

    /// Fails only when libcrypto cannot offer the algorithm or memory is short.
    package init() throws(DomeError) {
        context = try Algorithm.startedSHA256()
    }

    deinit { EVP_MD_CTX_free(context) }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) throws(DomeError) {
        guard let base = bytes.baseAddress, bytes.count > 0 else { return }
        guard EVP_DigestUpdate(context, base, bytes.count) == 1 else { throw Algorithm.failure("update SHA-256") }
    }

    package mutating func update(_ bytes: [UInt8]) throws(DomeError) {
        guard EVP_DigestUpdate(context, bytes, bytes.count) == 1 else { throw Algorithm.failure("update SHA-256") }
    }

    package consuming func finish() throws(DomeError) -> Digest {
        var bytes = [UInt8](repeating: 0, count: Digest.byteCount)
        var count: UInt32 = 0
        guard EVP_DigestFinal_ex(context, &bytes, &count) == 1, Int(count) == Digest.byteCount else {
            throw Algorithm.failure("finish SHA-256")
        }
        return Digest(checked: bytes)
    }
}

// One call.
extension SHA256 {
    package static func digest(_ bytes: UnsafeRawBufferPointer) throws(DomeError) -> Digest {
        var output = [UInt8](repeating: 0, count: Digest.byteCount)
        var count: UInt32 = 0
        let status = EVP_Digest(bytes.baseAddress, bytes.count, &output, &count, try Algorithm.sha256(), nil)
        guard status == 1, Int(count) == Digest.byteCount else { throw Algorithm.failure("compute SHA-256") }
        return Digest(checked: output)
    }

    package static func digest(_ bytes: [UInt8]) throws(DomeError) -> Digest {
        var output = [UInt8](repeating: 0, count: Digest.byteCount)
        var count: UInt32 = 0
        let status = EVP_Digest(bytes, bytes.count, &output, &count, try Algorithm.sha256(), nil)
        guard status == 1, Int(count) == Digest.byteCount else { throw Algorithm.failure("compute SHA-256") }
        return Digest(checked: output)
    }

    /// Of a text's UTF-8.
    package static func digest(_ text: String) throws(DomeError) -> Digest { try digest(Array(text.utf8)) }
}

/// libcrypto's algorithms, fetched once: looking one up by name costs more than hashing a small leaf.
enum Algorithm {
    private struct Handle: @unchecked Sendable {
        // @unchecked: a fetched EVP_MD is constant and may be shared between threads (EVP_MD_fetch(3)).
        let pointer: OpaquePointer?
    }

    private static let handle = Handle(pointer: EVP_MD_fetch(nil, "SHA256", nil))

    static func sha256() throws(DomeError) -> OpaquePointer {
        guard let pointer = handle.pointer else {
            throw failure("find SHA-256 in libcrypto (is a restrictive OpenSSL configuration in force?)")
        }
        return pointer
    }

    /// A context that takes bytes for SHA-256; the caller's to free.
    static func startedSHA256() throws(DomeError) -> OpaquePointer {
        let algorithm = try sha256()
        guard let context = EVP_MD_CTX_new() else { throw failure("allocate a SHA-256 context") }
        guard EVP_DigestInit_ex2(context, algorithm, nil) == 1 else {
            EVP_MD_CTX_free(context)
            throw failure("start SHA-256")
        }
        return context
    }

    /// Takes what libcrypto queued as this thread's last error.
    static func failure(_ what: String) -> DomeError {
        let number = ERR_get_error()
        ERR_clear_error()
        var text = [CChar](repeating: 0, count: 256)
        ERR_error_string_n(number, &text, text.count)
        let cause = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return DomeError(.internal, "cannot \(what)", cause: number == 0 ? nil : cause)
    }
}
