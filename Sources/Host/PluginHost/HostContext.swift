internal import DomeModel
internal import DomePlatform
internal import Glibc
internal import PluginABI

/// What a plugin holds as `dome_host_t`, and the tables it finds there. Never freed: the plugin is never unloaded, so
/// it may keep pointers to both for as long as the process lives.
final class HostContext {
    let pluginID: String
    let services: HostServices
    /// The ABI's main thread: the one that loaded the plugin.
    private let mainThread = pthread_self()
    let table = UnsafeMutablePointer<dome_host_api_t>.allocate(capacity: 1)
    private let extensions = ExtensionTables()
    private var isCancelWatched = false
    /// Whether the plugin is in one of its calls. The main thread's.
    private var isInCall = false
    private var config = JSONValue.object([:])
    /// What was lent to the plugin until its call returns.
    private var lent: [UnsafeMutableRawPointer] = []
    /// Artifacts being written, by what the plugin holds of them.
    private var artifacts: [OpaquePointer: Artifact] = [:]

    /// Longer lines of a plugin are cut.
    static let logLimitBytes = 4096
    private static let artifactLimit = 64
    private var artifactCount: UInt = 0

    init(pluginID: String, _ services: HostServices) {
        (self.pluginID, self.services) = (pluginID, services)
        table.initialize(
            to: dome_host_api_t(
                struct_size: MemoryLayout<dome_host_api_t>.size, abi_major: UInt32(DOME_ABI_MAJOR),
                abi_minor: UInt32(DOME_ABI_MINOR), name: Self.text("domed-worker"), version: Self.text("0.1.0"),
                get_extension: ExtensionTables.getExtension, reply: ExtensionTables.reply,
                explain: ExtensionTables.explain))
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
        func `is`(_ name: String) -> Bool { id.elementsEqual(name.utf8) }
        if `is`(DOME_EXT_LOG) { return UnsafeRawPointer(extensions.log) }
        if `is`(DOME_EXT_CANCEL) {
            if !isCancelWatched { services.watchesCancel() }
            isCancelWatched = true
            return UnsafeRawPointer(extensions.cancel)
        }
        if `is`(DOME_EXT_PROGRESS) { return UnsafeRawPointer(extensions.progress) }
        if `is`(DOME_EXT_CONFIG) { return UnsafeRawPointer(extensions.config) }
        if `is`(DOME_EXT_SECRETS) { return UnsafeRawPointer(extensions.secrets) }
        if `is`(DOME_EXT_CLOCK) { return UnsafeRawPointer(extensions.clock) }
        if `is`(DOME_EXT_ARTIFACT), services.artifacts != nil { return UnsafeRawPointer(extensions.artifact) }
        return nil
    }

    /// Whether a function tagged [main-thread] was called on it; otherwise the plugin's mistake is logged.
    func isOnMainThread(_ function: StaticString) -> Bool {
        if pthread_equal(mainThread, pthread_self()) != 0 { return true }
        misuse("\(function) was called on a thread that is not the main one")
        return false
    }

    /// The same for one tagged [main-thread & in-call] that has no call to ask.
    private func isInCall(_ function: StaticString) -> Bool {
        guard isOnMainThread(function) else { return false }
        if !isInCall { misuse("\(function) was called when no call was under way") }
        return isInCall
    }

    /// Records what a plugin did against the rules.
    func misuse(_ what: String) {
        Log.warning("plugin.misuse", ["plugin": pluginID, "what": what])
    }

    func writeLine(_ level: dome_log_level_t, _ message: UnsafeRawBufferPointer) {
        let text = String(decoding: message.prefix(Self.logLimitBytes), as: UTF8.self)
        let level = (DOME_LOG_DEBUG...DOME_LOG_ERROR).contains(level) ? level : DOME_LOG_ERROR
        if let log = services.log { return log(level, Self.oneLine(text)) }
        switch level {
        case DOME_LOG_DEBUG: Log.debug("plugin", ["plugin": pluginID, "message": text])
        case DOME_LOG_INFO: Log.info("plugin", ["plugin": pluginID, "message": text])
        case DOME_LOG_WARNING: Log.warning("plugin", ["plugin": pluginID, "message": text])
        default: Log.error("plugin", ["plugin": pluginID, "message": text])
        }
    }

    /// Control characters become spaces.
    static func oneLine(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) }) else {
            return text
        }
        return String(
            String.UnicodeScalarView(
                text.unicodeScalars.map { $0.value < 0x20 || (0x7f..<0xa0).contains($0.value) ? " " : $0 }))
    }

    // MARK: Calls

    func beginCall() { isInCall = true }

    /// Takes back what was lent, and throws away what was not finished.
    func endCall() {
        isInCall = false
        for memory in lent { free(memory) }
        lent = []
        for artifact in artifacts.values {
            misuse("artifact '\(artifact.name)' was neither finished nor discarded")
            artifact.discard()
        }
        artifacts = [:]
    }

    /// Sets what ext/config.h answers from. E_INVALID_REQUEST unless it is a JSON object.
    func take(config text: String) throws(DomeError) {
        config = text == "{}" ? .object([:]) : try JSONParser.parse(text, what: "configuration of plugin \(pluginID)")
        guard config.objectValue != nil else {
            throw DomeError(.invalidRequest, "the configuration of plugin \(pluginID) must be a JSON object")
        }
    }

    /// For ext/config.h.
    func configuration(at pointer: UnsafeRawBufferPointer) -> (UnsafePointer<CChar>, Int)? {
        guard isInCall("config.get"), let path = String(validating: pointer, as: UTF8.self) else { return nil }
        switch config.value(at: path) {
        case nil, .null?: return nil
        case .string(let text)?: return lend(Array(text.utf8))
        case let value?: return lend(Array(value.compact.utf8))
        }
    }

    /// For ext/secrets.h.
    func secret(_ name: UnsafeRawBufferPointer) -> (UnsafePointer<CChar>, Int)? {
        guard isInCall("secrets.get"), let name = String(validating: name, as: UTF8.self) else { return nil }
        return services.secrets[name].flatMap(lend)
    }

    private func lend(_ bytes: [UInt8]) -> (UnsafePointer<CChar>, Int)? {
        guard let memory = malloc(max(1, bytes.count)) else { return nil }
        UnsafeMutableRawBufferPointer(start: memory, count: bytes.count).copyBytes(from: bytes)
        lent.append(memory)
        return (UnsafePointer(memory.assumingMemoryBound(to: CChar.self)), bytes.count)
    }

    // MARK: Artifacts

    /// Begins one, or says why not.
    func makeArtifact(_ name: String) -> Result<OpaquePointer, DomeError> {
        guard let folder = services.artifacts, isInCall("artifact.create") else {
            return .failure(DomeError(.invalidRequest, "artifacts can be made only in a call of a job"))
        }
        guard artifacts.count < Self.artifactLimit else {
            return .failure(DomeError(.invalidRequest, "more than \(Self.artifactLimit) artifacts at once"))
        }
        do throws(DomeError) {
            let artifact = try Artifact(name, in: folder)
            artifactCount += 1
            // No address: what comes later must not look like one that is gone.
            guard let handle = OpaquePointer(bitPattern: artifactCount << 4) else {
                return .failure(DomeError(.resourceExhausted, "no handle is left"))
            }
            artifacts[handle] = artifact
            return .success(handle)
        } catch {
            return .failure(error)
        }
    }

    /// The artifact behind a plugin's handle. A stale one is nobody's.
    func artifact(_ handle: OpaquePointer?, _ function: StaticString) -> Artifact? {
        guard let handle, isOnMainThread(function), let artifact = artifacts[handle] else {
            misuse("\(function) was called with a handle that is none")
            return nil
        }
        return artifact
    }

    /// Ends one; whether it was kept.
    func endArtifact(_ handle: OpaquePointer?, _ function: StaticString, keep: Bool) -> Bool {
        guard let handle, let artifact = artifact(handle, function) else { return false }
        artifacts[handle] = nil
        guard keep else {
            artifact.discard()
            return false
        }
        return artifact.finish()
    }
}
