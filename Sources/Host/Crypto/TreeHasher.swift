internal import CCrypto
package import DomeModel

/// The two hashes of an RFC 6962 tree: of a leaf's bytes, and of two subtrees. One context for many: making one costs
/// more than hashing a small leaf. Not thread-safe; independent instances are independent.
package struct TreeHasher: ~Copyable, @unchecked Sendable {
    // @unchecked: it may move between threads; being no copyable value, it has one owner, who uses it on one at a time.
    private let context: OpaquePointer

    package init() throws(DomeError) {
        context = try Algorithm.startedSHA256()
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Of no leaves at all: SHA-256 of nothing.
    package static func emptyRoot() throws(DomeError) -> Digest { try SHA256.digest([UInt8]()) }

    /// SHA-256(0x00 ‖ leaf).
    package func leaf(_ bytes: UnsafeRawBufferPointer) throws(DomeError) -> Digest {
        try hash(0, bytes, UnsafeRawBufferPointer(start: nil, count: 0))
    }

    /// SHA-256(0x00 ‖ leaf).
    package func leaf(_ bytes: [UInt8]) throws(DomeError) -> Digest {
        try bytes.withBytes { raw throws(DomeError) in try leaf(raw) }
    }

    /// SHA-256(0x01 ‖ left ‖ right).
    package func node(_ left: Digest, _ right: Digest) throws(DomeError) -> Digest {
        try left.bytes.withBytes { first throws(DomeError) in
            try right.bytes.withBytes { second throws(DomeError) in try hash(1, first, second) }
        }
    }

    private func hash(
        _ prefix: UInt8, _ first: UnsafeRawBufferPointer, _ second: UnsafeRawBufferPointer
    ) throws(DomeError) -> Digest {
        var prefix = prefix
        var count: UInt32 = 0
        // A null algorithm is the one that the context has.
        var isDone = EVP_DigestInit_ex2(context, nil, nil) == 1 && EVP_DigestUpdate(context, &prefix, 1) == 1
        for part in [first, second] where part.count > 0 {
            isDone = isDone && EVP_DigestUpdate(context, part.baseAddress, part.count) == 1
        }
        let bytes = [UInt8](unsafeUninitializedCapacity: Digest.byteCount) { output, initialized in
            isDone = isDone && EVP_DigestFinal_ex(context, output.baseAddress, &count) == 1
            initialized = isDone ? Digest.byteCount : 0
        }
        guard isDone, Int(count) == Digest.byteCount else { throw Algorithm.failure("hash for the tree") }
        return Digest(checked: bytes)
    }
}
