internal import DomeModel

/// What domed asks of an executor about a job that it drives (executor_drive.h).
package enum DriveCall: Sendable, Equatable {
    /// The job's document, as for `prepare`.
    case start(job: [UInt8])
    case poll(handle: String, cursor: String)
    case cancel(handle: String, force: Bool)
    case recover(handle: String)
    case listArtifacts(handle: String)
    /// At most `size` bytes of one artifact, raw.
    case readArtifact(handle: String, name: String, offset: UInt64, size: UInt32)

    /// The longest handle and the longest cursor, in UTF-8 bytes.
    package static let textLimitBytes = 4096

    var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 256)
        switch self {
        case .start(let job):
            writer.write(UInt8(1))
            writer.write(job)
        case .poll(let handle, let cursor):
            writer.write(UInt8(2))
            writer.write(handle)
            writer.write(cursor)
        case .cancel(let handle, let force):
            writer.write(UInt8(3))
            writer.write(handle)
            writer.write(UInt8(force ? 1 : 0))
        case .recover(let handle):
            writer.write(UInt8(4))
            writer.write(handle)
        case .listArtifacts(let handle):
            writer.write(UInt8(5))
            writer.write(handle)
        case .readArtifact(let handle, let name, let offset, let size):
            writer.write(UInt8(6))
            writer.write(handle)
            writer.write(name)
            writer.write(offset)
            writer.write(size)
        }
        return writer.bytes
    }

    init(_ raw: UnsafeRawBufferPointer) throws(DomeError) {
        var reader = ByteReader(raw)
        switch try reader.readUInt8() {
        case 1: self = .start(job: try reader.readBytes())
        case 2: self = .poll(handle: try reader.readString(), cursor: try reader.readString())
        case 3: self = .cancel(handle: try reader.readString(), force: try reader.readUInt8() != 0)
        case 4: self = .recover(handle: try reader.readString())
        case 5: self = .listArtifacts(handle: try reader.readString())
        case 6:
            self = .readArtifact(
                handle: try reader.readString(), name: try reader.readString(), offset: try reader.readUInt64(),
                size: try reader.readUInt32())
        case let kind: throw DomeError(.internal, "worker link: a call of the unknown kind \(kind)")
        }
    }
}
