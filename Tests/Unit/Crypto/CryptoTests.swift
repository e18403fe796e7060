// Unit tests of the room Crypto: published vectors, and what happens at the edges of files.

import DomeCrypto
import DomeModel
import Glibc
import Testing

@Suite struct `SHA-256` {
    /// FIPS 180-4 examples (NIST CSRC "SHA256.pdf" and the empty message).
    static let vectors: [(message: [UInt8], hex: String)] = [
        ([], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        (Array("abc".utf8), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            Array("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq".utf8),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        (
            [UInt8](repeating: UInt8(ascii: "a"), count: 1_000_000),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"
        ),
    ]

    @Test(arguments: vectors.indices) func `gives the published digests`(_ index: Int) throws {
        let (message, hex) = Self.vectors[index]
        #expect(try SHA256.digest(message).hex == hex)
        #expect(try message.withUnsafeBytes { try SHA256.digest($0) }.hex == hex)
    }

    @Test func `is the same however the bytes are cut`() throws {
        let message = (0..<1000).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let whole = try SHA256.digest(message)
        for size in [1, 7, 63, 64, 65, 999] {
            var hash = try SHA256()
            for start in stride(from: 0, to: message.count, by: size) {
                try hash.update(Array(message[start..<min(start + size, message.count)]))
                try hash.update([])
            }
            #expect(try hash.finish() == whole)
        }
    }

    @Test func `is a content identifier, too`() throws {
        // Of "hello world" and of nothing, as the tools of IPFS have them.
        #expect(
            try SHA256.digest(Array("hello world".utf8)).contentID
                == "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e")
        #expect(try SHA256.digest([]).contentID == "bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku")
    }

    @Test func `a digest survives its hexadecimal form, and nothing else passes for one`() throws {
        let digest = try SHA256.digest("dome")
        #expect(Digest(hex: digest.hex) == digest)
        #expect(Digest(hex: digest.hex.uppercased()) == digest)
        #expect(Digest(bytes: digest.bytes) == digest)
        #expect(Digest(hex: String(digest.hex.dropLast())) == nil)
        #expect(Digest(hex: String(digest.hex.dropLast()) + "g") == nil)
        #expect(Digest(hex: digest.hex + "00") == nil)
        #expect(Digest(bytes: [1, 2, 3]) == nil)
    }

    @Test func `constant-time comparison tells equal from unequal`() throws {
        let digest = try SHA256.digest("dome")
        var bytes = digest.bytes
        #expect(digest.isEqualInConstantTime(to: try #require(Digest(bytes: bytes))))
        bytes[31] ^= 1
        #expect(!digest.isEqualInConstantTime(to: try #require(Digest(bytes: bytes))))
    }

    @Test func `threads share the algorithm without harm`() async throws {
        let expected = try SHA256.digest("shared")
        await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<500 {
                        guard let digest = try? SHA256.digest("shared"), digest == expected else { return false }
                    }
                    return true
                }
            }
            for await agreed in group { #expect(agreed) }
        }
    }
}

@Suite struct `HMAC-SHA-256` {
    /// RFC 4231, cases 1, 2, 3, 6 and 7.
    static let vectors: [(key: [UInt8], message: [UInt8], hex: String)] = [
        (
            [UInt8](repeating: 0x0b, count: 20), Array("Hi There".utf8),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
        ),
        (
            Array("Jefe".utf8), Array("what do ya want for nothing?".utf8),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        ),
        (
            [UInt8](repeating: 0xaa, count: 20), [UInt8](repeating: 0xdd, count: 50),
            "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
        ),
        (
            [UInt8](repeating: 0xaa, count: 131),
            Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
        ),
        (
            [UInt8](repeating: 0xaa, count: 131),
            Array(
                ("This is a test using a larger than block-size key and a larger than block-size data. "
                    + "The key needs to be hashed before being used by the HMAC algorithm.").utf8),
            "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
        ),
    ]

    @Test(arguments: vectors.indices) func `gives the published codes`(_ index: Int) throws {
        let (key, message, hex) = Self.vectors[index]
        #expect(try HMACSHA256.code(message, key: key).hex == hex)
    }

    @Test func `an empty key is a key, not the one before it`() throws {
        let empty = "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"
        _ = try HMACSHA256.code([], key: Array("another".utf8))
        #expect(try HMACSHA256.code([], key: []).hex == empty)
    }
}
