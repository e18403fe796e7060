internal import DomeModel
internal import DomePlatform
internal import Glibc
internal import PluginABI

/// What a plugin holds as `dome_host_t`, and the tables it finds there. Never freed: the plugin is never unloaded, so
/// it may keep pointers to both for as long as the process lives.
final class HostContext {
    let pluginID: String
    let isCanceled: @Sendable () -> Bool
    /// The ABI's main thread: the one that loaded the plugin.
    private let mainThread = pthread_self()
    let table = UnsafeMutablePointer<dome_host_api_t>.allocate(capacity: 1)
    private let log = UnsafeMutablePointer<dome_log_api_t>.allocate(capacity: 1)
    private let cancel = UnsafeMutablePointer<dome_cancel_api_t>.allocate(capacity: 1)

    /// Longer lines of a plugin are cut.
    static let logLimitBytes = 4096

    init(pluginID: String, isCanceled: @escaping @Sendable () -> Bool) {
        (self.pluginID, self.isCanceled) = (pluginID, isCanceled)
        table.initialize(
            to: dome_host_api_t(
                struct_size: MemoryLayout<dome_host_api_t>.size, abi_major: UInt32(DOME_ABI_MAJOR),
                abi_minor: UInt32(DOME_ABI_MINOR), name: Self.text("domed-worker"), version: Self.text("0.1.0"),
                get_extension: getExtension, reply: appendReply, explain: setExplanation))
        log.initialize(to: dome_log_api_t(struct_size: MemoryLayout<dome_log_api_t>.size, write: writeLog))
        cancel.initialize(
            to: dome_cancel_api_t(struct_size: MemoryLayout<dome_cancel_api_t>.size, is_canceled: askCanceled))
        _ = Unmanaged.passRetained(self)
    }

    /// The handle the plugin gets. It is only ever turned back by `of`.
    var handle: OpaquePointer { OpaquePointer(Unmanaged.passUnretained(self).toOpaque()) }

    static func of(_ handle: OpaquePointer?) -> HostContext? {
        handle.map { Unmanaged<HostContext>.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue() }
    }

    private static func text(_ text: StaticString) -> dome_text_t {
        dome_text_t(
            data: UnsafeRawPointer(text.utf8Start).assumingMemoryBound(to: CChar.self), size: text.utf8CodeUnitCount)
    }

    func findExtension(_ id: UnsafeRawBufferPointer) -> UnsafeRawPointer? {
        if id.elementsEqual(DOME_EXT_LOG.utf8) { return UnsafeRawPointer(log) }
        if id.elementsEqual(DOME_EXT_CANCEL.utf8) { return UnsafeRawPointer(cancel) }
        return nil
    }

    /// Whether a function tagged [main-thread] was called on it; otherwise the plugin's mistake is logged.
    func isOnMainThread(_ function: StaticString) -> Bool {
        if pthread_equal(mainThread, pthread_self()) != 0 { return true }
        misuse("\(function) was called on a thread that is not the main one")
        return false
    }

    /// Records what a plugin did against the rules.
    func misuse(_ what: String) {
        Log.warning("plugin.misuse", ["plugin": pluginID, "what": what])
    }

    func writeLine(_ level: dome_log_level_t, _ message: UnsafeRawBufferPointer) {
        let text = String(decoding: message.prefix(Self.logLimitBytes), as: UTF8.self)
        switch level {
        case DOME_LOG_DEBUG: Log.debug("plugin", ["plugin": pluginID, "message": text])
        case DOME_LOG_INFO: Log.info("plugin", ["plugin": pluginID, "message": text])
        case DOME_LOG_WARNING: Log.warning("plugin", ["plugin": pluginID, "message": text])
        default: Log.error("plugin", ["plugin": pluginID, "message": text])
        }
    }
}

// The functions behind the tables. They check what they were given and never throw or trap.

private let getExtension: @convention(c) (OpaquePointer?, UnsafePointer<CChar>?, Int) -> UnsafeRawPointer? = {
    host, id, size in
    guard let context = HostContext.of(host), context.isOnMainThread("get_extension"),
        case .success(let bytes) = ForeignText.bytes(id, size, limitBytes: 256)
    else { return nil }
    return context.findExtension(bytes)
}

private let writeLog: @convention(c) (OpaquePointer?, dome_log_level_t, UnsafePointer<CChar>?, Int) -> Void = {
    host, level, message, size in
    guard let context = HostContext.of(host) else { return }
    switch ForeignText.bytes(message, size, limitBytes: Int.max) {
    case .success(let bytes): context.writeLine(level, bytes)
    case .failure(let defect): context.misuse("log: the message \(defect.reason)")
    }
}

private let appendReply: @convention(c) (OpaquePointer?, UnsafePointer<CChar>?, Int) -> Bool = { call, data, size in
    CallContext.of(call)?.append(data, size) ?? false
}

private let setExplanation: @convention(c) (OpaquePointer?, UnsafePointer<CChar>?, Int) -> Void = {
    call, message, size in
    CallContext.of(call)?.explain(message, size)
}

private let askCanceled: @convention(c) (OpaquePointer?) -> Bool = { call in
    CallContext.of(call)?.isCanceled ?? true
}
