package import DomeModel

/// What a job's worker reads on its standard input: which action of which plugin to carry out, on what. In memory only,
/// because secrets are in it.
package struct AdapterJob: Sendable, Equatable {
    package var pluginID = ""
    package var pluginVersion = ""
    /// The library's file name in the plugin's folder.
    package var library = ""
    /// Which file that must be, as `FileIdentity` writes it; empty: whichever it is.
    package var identity = ""
    package var jobID = ""
    package var toolID = ""
    package var action = ""
    /// The task, JSON text.
    package var payload = ""
    /// A JSON object.
    package var config = "{}"
    package var secrets: [(name: String, value: [UInt8])] = []
    /// How long the job may run.
    package var wallMilliseconds: UInt64 = 0

    /// Where the jail shows the worker's program and the plugin's folder.
    package static let workerPath = "/run/dome/domed-worker"
    package static let pluginFolder = "/run/dome/plugin"

    private static let version: UInt32 = 1

    package init() {}

    package var bytes: [UInt8] {
        var writer = ByteWriter(capacity: 512 + payload.utf8.count + config.utf8.count)
        writer.write(Self.version)
        for text in [pluginID, pluginVersion, library, identity, jobID, toolID, action, payload, config] {
            writer.write(text)
        }
        writer.write(wallMilliseconds)
        writer.write(UInt32(clamping: secrets.count))
        for secret in secrets {
            writer.write(secret.name)
            writer.write(secret.value)
        }
        return writer.bytes
    }

    /// Errors: E_INTERNAL for what no domed of this version writes.
    package init(_ raw: UnsafeRawBufferPointer) throws(DomeError) {
        var reader = ByteReader(raw)
        let version = try reader.readUInt32()
        guard version == Self.version else {
            throw DomeError(.internal, "the job is of version \(version), this worker knows \(Self.version)")
        }
        for path in [
            \AdapterJob.pluginID, \.pluginVersion, \.library, \.identity, \.jobID, \.toolID, \.action, \.payload,
            \.config,
        ] { self[keyPath: path] = try reader.readString() }
        wallMilliseconds = try reader.readUInt64()
        for _ in 0..<(try reader.readCount(minimumBytes: 8)) {
            let name = try reader.readString()
            secrets.append((name, try reader.readBytes()))
        }
    }

    package static func == (left: AdapterJob, right: AdapterJob) -> Bool { left.bytes == right.bytes }
}
