internal import CLinux

/// CRC-32C (Castagnoli; RFC 3720 appendix B.4): finds torn and damaged records. No protection from an attacker.
package enum CRC32C {
    /// The checksum of `bytes`, or of what `previous` covers followed by `bytes`.
    package static func of(_ bytes: UnsafeRawBufferPointer, continuing previous: UInt32 = 0) -> UInt32 {
        dome_crc32c(previous, bytes.baseAddress, bytes.count)
    }

    /// The same without the processor's instruction; the two must always agree.
    package static func portable(_ bytes: UnsafeRawBufferPointer, continuing previous: UInt32 = 0) -> UInt32 {
        dome_crc32c_portable(previous, bytes.baseAddress, bytes.count)
    }
}
