import DomeModel
import DomePlatform

/// The first 64 bytes of a journal: magic, version, salt, the job's id, checksum.
struct FileHeader {
    static let byteCount = 64
    static let magic: UInt64 = 0x6c6e_726a_656d_6f64  // "domejrnl"
    /// The version written. A reader takes this one and refuses later ones.
    static let version: UInt32 = 1

    /// Random; begins every frame head's checksum.
    var salt: UInt32

    /// Decodes and checks that it is the journal of `jobID`. `raw` has at least 64 bytes.
    init(_ raw: UnsafeRawBufferPointer, jobID: JobID) throws(DomeError) {
        var reader = ByteReader(raw)
        let magic = try reader.readUInt64()
        let version = try reader.readUInt32()
        salt = try reader.readUInt32()
        let text = try reader.take(44)
        let checksum = try reader.readUInt32()
        guard magic == Self.magic, CRC32C.of(UnsafeRawBufferPointer(rebasing: raw[..<60])) == checksum else {
            throw Journal.damage(jobID, at: 0, "no journal header")
        }
        guard version <= Self.version else {
            throw DomeError(
                .internal, "journal of \(jobID) has format \(version), newer than the \(Self.version) known here")
        }
        guard Array(text.prefix(30)) == Array(jobID.text.utf8) else {
            throw Journal.damage(jobID, at: 16, "it belongs to another job")
        }
    }

    /// The bytes of a new journal's header.
    static func make(_ jobID: JobID, salt: UInt32) -> [UInt8] {
        var writer = ByteWriter(capacity: byteCount)
        writer.write(magic)
        writer.write(version)
        writer.write(salt)
        let text = Array(jobID.text.utf8.prefix(44))
        (text + [UInt8](repeating: 0, count: 44 - text.count)).withUnsafeBytes { writer.append($0) }
        writer.write(writer.bytes.withUnsafeBytes { CRC32C.of($0) })
        return writer.bytes
    }
}
