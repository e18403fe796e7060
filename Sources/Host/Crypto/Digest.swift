// Room Crypto: hashes and authentication codes, by OpenSSL's libcrypto (the only room that imports it).
// SHA-256 over bytes, descriptors and files; HMAC-SHA-256; comparison in constant time; Ed25519; what logs are proven
// with (RFC 6962 trees and proofs, signed notes, checkpoints) and documents signed with (DSSE). Values in, values out:
// no state is kept but the algorithm's handle, and everything here may be called from any thread.

internal import CCrypto

/// A SHA-256 value: 32 bytes.
package struct Digest: Sendable, Hashable, CustomStringConvertible {
    package static let byteCount = 32

    package let bytes: [UInt8]

    /// Takes bytes from outside; nil unless there are exactly 32.
    package init?(bytes: [UInt8]) {
        guard bytes.count == Self.byteCount else { return nil }
        self.bytes = bytes
    }

    /// For this room: `count` was checked by the algorithm that wrote them.
    init(checked bytes: [UInt8]) { self.bytes = bytes }

    /// Takes 64 hexadecimal digits, of either case; nil for anything else.
    package init?(hex: String) {
        let digits = Array(hex.utf8)
        guard digits.count == 2 * Self.byteCount else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = Self.value(digits[index]), let low = Self.value(digits[index + 1]) else { return nil }
            bytes.append(high << 4 | low)
        }
        self.bytes = bytes
    }

    /// 64 lower-case hexadecimal digits.
    package var hex: String {
        String(unsafeUninitializedCapacity: 2 * Self.byteCount) { output in
            for (index, byte) in bytes.enumerated() {
                output[2 * index] = Self.digit(byte >> 4)
                output[2 * index + 1] = Self.digit(byte & 15)
            }
            return 2 * bytes.count
        }
    }

    package var description: String { hex }

    /// Compares without telling by its duration where the difference lies; for codes that prove something.
    package func isEqualInConstantTime(to other: Digest) -> Bool {
        CRYPTO_memcmp(bytes, other.bytes, Self.byteCount) == 0
    }

    private static func digit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
