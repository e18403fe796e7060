internal import CCrypto
package import DomeModel

/// HMAC-SHA-256 (RFC 2104, FIPS 198-1).
package enum HMACSHA256 {
    /// The code of `message` under `key`, which may have any length; 32 random bytes are what a key should be.
    /// Compare codes with `Digest.isEqualInConstantTime`.
    package static func code(_ message: [UInt8], key: [UInt8]) throws(DomeError) -> Digest {
        guard let keyCount = Int32(exactly: key.count) else {
            throw DomeError(.invalidRequest, "an HMAC key of \(key.count) bytes is too long")
        }
        let algorithm = try Algorithm.sha256()
        var output = [UInt8](repeating: 0, count: Digest.byteCount)
        var count: UInt32 = 0
        // libcrypto takes a null key for "the previous one": an empty array still has to have an address.
        let keyBytes = key.isEmpty ? [0] : key
        let code = HMAC(algorithm, keyBytes, keyCount, message, message.count, &output, &count)
        guard code != nil, Int(count) == Digest.byteCount else { throw Algorithm.failure("compute HMAC-SHA-256") }
        return Digest(checked: output)
    }
}
