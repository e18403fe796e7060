internal import CCrypto
package import DomeModel

/// Random bytes that nobody can guess, from libcrypto's generator.
package enum SecureRandom {
    package static func bytes(_ count: Int) throws(DomeError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        guard RAND_bytes(&bytes, Int32(clamping: count)) == 1 else { throw Algorithm.failure("get random bytes") }
        return bytes
    }
}

/// An Ed25519 private key (RFC 8032). May be used from any thread.
package struct Ed25519PrivateKey: Sendable {
    package static let byteCount = 32

    private let handle: KeyHandle
    /// The 32 bytes that the key is made from. Secret.
    package let seed: [UInt8]
    package let publicKey: Ed25519PublicKey

    package init() throws(DomeError) { try self.init(seed: try SecureRandom.bytes(Self.byteCount)) }

    package init(seed: [UInt8]) throws(DomeError) {
        guard seed.count == Self.byteCount else {
            throw DomeError(.invalidRequest, "an Ed25519 private key has 32 bytes, not \(seed.count)")
        }
        guard let pointer = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, seed, seed.count) else {
            throw Algorithm.failure("make an Ed25519 key")
        }
        handle = KeyHandle(pointer)
        self.seed = seed
        var bytes = [UInt8](repeating: 0, count: Ed25519PublicKey.byteCount)
        var count = bytes.count
        guard EVP_PKEY_get_raw_public_key(pointer, &bytes, &count) == 1 else {
            throw Algorithm.failure("get an Ed25519 public key")
        }
        publicKey = try Ed25519PublicKey(bytes: bytes)
    }

    /// 64 bytes.
    package func signature(of message: [UInt8]) throws(DomeError) -> [UInt8] {
        guard let context = EVP_MD_CTX_new() else { throw Algorithm.failure("allocate a context to sign") }
        defer { EVP_MD_CTX_free(context) }
        var signature = [UInt8](repeating: 0, count: 64)
        var count = signature.count
        guard EVP_DigestSignInit(context, nil, nil, nil, handle.pointer) == 1,
            EVP_DigestSign(context, &signature, &count, message, message.count) == 1, count == 64
        else { throw Algorithm.failure("sign") }
        return signature
    }
}

/// An Ed25519 public key.
package struct Ed25519PublicKey: Sendable, Hashable {
    package static let byteCount = 32

    package let bytes: [UInt8]

    package init(bytes: [UInt8]) throws(DomeError) {
        guard bytes.count == Self.byteCount else {
            throw DomeError(.invalidRequest, "an Ed25519 public key has 32 bytes, not \(bytes.count)")
        }
        self.bytes = bytes
    }

    package func verifies(_ signature: [UInt8], of message: [UInt8]) throws(DomeError) -> Bool {
        guard signature.count == 64 else { return false }
        guard let pointer = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, bytes, bytes.count) else {
            throw Algorithm.failure("take an Ed25519 public key")
        }
        let handle = KeyHandle(pointer)
        guard let context = EVP_MD_CTX_new() else { throw Algorithm.failure("allocate a context to verify") }
        defer { EVP_MD_CTX_free(context) }
        guard EVP_DigestVerifyInit(context, nil, nil, nil, handle.pointer) == 1 else {
            throw Algorithm.failure("verify a signature")
        }
        let isGood = EVP_DigestVerify(context, signature, signature.count, message, message.count) == 1
        // What a false signature leaves in the queue is no error of ours.
        ERR_clear_error()
        return isGood
    }

    /// SubjectPublicKeyInfo as PEM (RFC 8410): what most other programs take.
    package var pem: String {
        let prefix: [UInt8] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00]
        return "-----BEGIN PUBLIC KEY-----\n" + Base64.encode(prefix + bytes) + "\n-----END PUBLIC KEY-----\n"
    }

    /// 64 lower-case hexadecimal digits.
    package var hex: String { Digest(checked: bytes).hex }
}

/// Owns a key of libcrypto's.
private final class KeyHandle: @unchecked Sendable {
    // @unchecked: signing and verifying do not change a key (OpenSSL's threads(7)).
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) { self.pointer = pointer }

    deinit { EVP_PKEY_free(pointer) }
}
