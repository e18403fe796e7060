internal import DomeModel
internal import DomePlatform
internal import PluginABI

/// The host's functions as a plugin finds them, and the tables they stand in. They check what they were given and never
/// throw or trap. One set for each plugin; never freed.
final class ExtensionTables {
    let log = UnsafeMutablePointer<dome_log_api_t>.allocate(capacity: 1)
    let cancel = UnsafeMutablePointer<dome_cancel_api_t>.allocate(capacity: 1)
    let progress = UnsafeMutablePointer<dome_progress_api_t>.allocate(capacity: 1)
    let config = UnsafeMutablePointer<dome_config_api_t>.allocate(capacity: 1)
    let secrets = UnsafeMutablePointer<dome_secrets_api_t>.allocate(capacity: 1)
    let clock = UnsafeMutablePointer<dome_clock_api_t>.allocate(capacity: 1)
    let artifact = UnsafeMutablePointer<dome_artifact_api_t>.allocate(capacity: 1)

    init() {
        log.initialize(to: dome_log_api_t(struct_size: MemoryLayout<dome_log_api_t>.size, write: Self.writeLog))
        cancel.initialize(
            to: dome_cancel_api_t(struct_size: MemoryLayout<dome_cancel_api_t>.size, is_canceled: Self.isCanceled))
        progress.initialize(
            to: dome_progress_api_t(struct_size: MemoryLayout<dome_progress_api_t>.size, report: Self.reportProgress))
        config.initialize(
            to: dome_config_api_t(struct_size: MemoryLayout<dome_config_api_t>.size, get: Self.getConfig))
        secrets.initialize(
            to: dome_secrets_api_t(struct_size: MemoryLayout<dome_secrets_api_t>.size, get: Self.getSecret))
        clock.initialize(
            to: dome_clock_api_t(
                struct_size: MemoryLayout<dome_clock_api_t>.size, monotonic_nanoseconds: Self.monotonic,
                wall_nanoseconds: Self.wall, remaining_nanoseconds: Self.remaining))
        artifact.initialize(
            to: dome_artifact_api_t(
                struct_size: MemoryLayout<dome_artifact_api_t>.size, create: Self.createArtifact,
                write: Self.writeArtifact, finish: Self.finishArtifact, discard: Self.discardArtifact))
    }

    typealias Characters = UnsafePointer<CChar>
    typealias Lookup =
        @convention(c) (
            OpaquePointer?, Characters?, Int, UnsafeMutablePointer<Characters?>?, UnsafeMutablePointer<Int>?
        ) -> Bool

    // MARK: The host's table

    static let getExtension: @convention(c) (OpaquePointer?, Characters?, Int) -> UnsafeRawPointer? = {
        host, id, size in
        guard let context = HostContext.of(host), context.isOnMainThread("get_extension"),
            case .success(let bytes) = ForeignText.bytes(id, size, limitBytes: 256)
        else { return nil }
        return context.findExtension(bytes)
    }

    static let reply: @convention(c) (OpaquePointer?, Characters?, Int) -> Bool = { call, data, size in
        CallContext.of(call)?.append(data, size) ?? false
    }

    static let explain: @convention(c) (OpaquePointer?, Characters?, Int) -> Void = { call, message, size in
        CallContext.of(call)?.explain(message, size)
    }

    // MARK: Extensions

    private static let writeLog: @convention(c) (OpaquePointer?, dome_log_level_t, Characters?, Int) -> Void = {
        host, level, message, size in
        guard let context = HostContext.of(host) else { return }
        switch ForeignText.bytes(message, size, limitBytes: Int.max) {
        case .success(let bytes): context.writeLine(level, bytes)
        case .failure(let defect): context.misuse("log: the message \(defect.reason)")
        }
    }

    private static let isCanceled: @convention(c) (OpaquePointer?) -> Bool = { call in
        CallContext.of(call)?.isCanceled ?? true
    }

    private static let reportProgress: @convention(c) (OpaquePointer?, Double, Characters?, Int) -> Void = {
        call, value, message, size in
        CallContext.of(call)?.report(value, message, size)
    }

    private static let getConfig: Lookup = { host, pointer, size, data, dataSize in
        guard let context = HostContext.of(host),
            case .success(let bytes) = ForeignText.bytes(pointer, size, limitBytes: 4096)
        else { return false }
        return hand(context.configuration(at: bytes), data, dataSize)
    }

    private static let getSecret: Lookup = { host, name, size, data, dataSize in
        guard let context = HostContext.of(host),
            case .success(let bytes) = ForeignText.bytes(name, size, limitBytes: 256)
        else { return false }
        return hand(context.secret(bytes), data, dataSize)
    }

    private static func hand(
        _ found: (Characters, Int)?, _ data: UnsafeMutablePointer<Characters?>?, _ size: UnsafeMutablePointer<Int>?
    ) -> Bool {
        guard let found, let data, let size else { return false }
        (data.pointee, size.pointee) = found
        return true
    }

    private static let monotonic: @convention(c) (OpaquePointer?) -> Int64 = { _ in Clock.monotonicNanoseconds() }
    private static let wall: @convention(c) (OpaquePointer?) -> Int64 = { _ in Clock.wallNanoseconds() }
    private static let remaining: @convention(c) (OpaquePointer?) -> Int64 = { call in
        CallContext.of(call)?.remainingNanoseconds ?? 0
    }

    // MARK: Artifacts

    private static let createArtifact: @convention(c) (OpaquePointer?, Characters?, Int) -> OpaquePointer? = {
        call, name, size in
        CallContext.of(call)?.makeArtifact(name, size)
    }

    // An artifact's handle carries no host: there is one plugin in this process, and so one host.
    nonisolated(unsafe) static var current: HostContext?

    private static let writeArtifact: @convention(c) (OpaquePointer?, UnsafeRawPointer?, Int) -> Int64 = {
        handle, data, size in
        guard let artifact = current?.artifact(handle, "artifact.write") else { return -1 }
        switch ForeignText.bytes(data?.assumingMemoryBound(to: CChar.self), size, limitBytes: Int.max) {
        case .success(let bytes): return artifact.write(bytes)
        case .failure: return -1
        }
    }

    private static let finishArtifact: @convention(c) (OpaquePointer?) -> Bool = { handle in
        current?.endArtifact(handle, "artifact.finish", keep: true) ?? false
    }

    private static let discardArtifact: @convention(c) (OpaquePointer?) -> Void = { handle in
        _ = current?.endArtifact(handle, "artifact.discard", keep: false)
    }
}
