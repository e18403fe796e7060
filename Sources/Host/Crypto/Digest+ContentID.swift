extension Digest {
    /// The content identifier of the bytes that this is the SHA-256 of: CIDv1, codec raw (0x55), multihash sha2-256 (0x12,
    /// 32 bytes), in base 32 without padding after the letter b. Source: the CID and multihash specifications
    /// (multiformats), RFC 4648 for base 32. The same for the same bytes everywhere, as `ipfs add --cid-version=1
    /// --raw-leaves` names a file of one block.
    package var contentID: String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyz234567".utf8)
        var text = [UInt8(ascii: "b")]
        var (bits, count) = (UInt32(0), UInt32(0))
        for byte in [0x01, 0x55, 0x12, 0x20] + bytes {
            bits = (bits << 8 | UInt32(byte)) & 0xffff
            count += 8
            while count >= 5 {
                count -= 5
                text.append(alphabet[Int(bits >> count & 31)])
            }
        }
        if count > 0 { text.append(alphabet[Int(bits << (5 - count) & 31)]) }
        return String(decoding: text, as: UTF8.self)
    }
}
