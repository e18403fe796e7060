internal import DomeModel
internal import DomePlatform
internal import PluginABI
internal import Synchronization

/// What a plugin holds as `dome_call_t`: where one call's answer is gathered. There is one for each instance and it is
/// reused, so a plugin that holds on to it after its call meets a closed door and not freed memory.
final class CallContext {
    /// The largest answer taken: a task of the contract's 16 MiB fits, with room for its plan.
    static let answerLimitBytes = 24 << 20
    static let explanationLimitBytes = 4096

    private let host: HostContext
    /// Whether a call is under way. The one thing that other threads (is_canceled) look at.
    private let isOpen = Atomic<Bool>(false)
    private var answer: [UInt8] = []
    /// What the last call returned.
    private(set) var status: dome_status_t = DOME_OK
    private var explanation = ""

    init(_ host: HostContext) {
        self.host = host
        _ = Unmanaged.passRetained(self)
    }

    private var handle: OpaquePointer { OpaquePointer(Unmanaged.passUnretained(self).toOpaque()) }

    static func of(_ handle: OpaquePointer?) -> CallContext? {
        handle.map { Unmanaged<CallContext>.fromOpaque(UnsafeRawPointer($0)).takeUnretainedValue() }
    }

    /// Runs one call of the plugin. The answer if it says DOME_OK; otherwise its explanation as an error.
    func run(_ what: String, _ body: (OpaquePointer) -> dome_status_t) throws(DomeError) -> [UInt8] {
        answer = []
        explanation = ""
        isOpen.store(true, ordering: .releasing)
        host.beginCall()
        status = body(handle)
        host.endCall()
        isOpen.store(false, ordering: .releasing)
        guard status == DOME_OK else {
            let reason = explanation.isEmpty ? "without saying why (status \(status))" : explanation
            throw DomeError(Self.code(status), "plugin \(host.pluginID) failed to \(what): \(reason)")
        }
        defer { answer = [] }
        return answer
    }

    /// For the host's `reply`. False is the plugin's to handle: too large, too late, or a wild buffer.
    func append(_ data: UnsafePointer<CChar>?, _ size: Int) -> Bool {
        guard host.isOnMainThread("reply") else { return false }
        guard isOpen.load(ordering: .acquiring) else {
            host.misuse("reply was called when no call was under way")
            return false
        }
        switch ForeignText.bytes(data, size, limitBytes: Self.answerLimitBytes - answer.count) {
        case .success(let bytes):
            answer.append(contentsOf: bytes)
            return true
        case .failure(let defect):
            host.misuse("reply: the data \(defect.reason)")
            return false
        }
    }

    /// For the host's `explain`.
    func explain(_ message: UnsafePointer<CChar>?, _ size: Int) {
        guard host.isOnMainThread("explain"), isOpen.load(ordering: .acquiring) else { return }
        switch ForeignText.read(dome_text_t(data: message, size: size), limitBytes: Self.explanationLimitBytes) {
        case .success(let text): explanation = text
        case .failure(let defect): host.misuse("explain: the message \(defect.reason)")
        }
    }

    /// For ext/cancel.h, from any thread: a call that is over counts as canceled.
    var isCanceled: Bool { !isOpen.load(ordering: .acquiring) || host.services.isCanceled() }

    /// For ext/progress.h, from any thread.
    func report(_ value: Double, _ message: UnsafePointer<CChar>?, _ size: Int) {
        guard isOpen.load(ordering: .acquiring) else { return host.misuse("progress was reported after its call") }
        guard value.isFinite else { return host.misuse("progress: the value is no finite number") }
        switch ForeignText.read(dome_text_t(data: message, size: size), limitBytes: Self.explanationLimitBytes) {
        case .success(let text): host.services.progress(value, HostContext.oneLine(text))
        case .failure(let defect): host.misuse("progress: the message \(defect.reason)")
        }
    }

    /// For ext/clock.h, from any thread.
    var remainingNanoseconds: Int64 {
        guard isOpen.load(ordering: .acquiring) else { return 0 }
        return host.services.deadlineNanoseconds.map { max(0, $0 - Clock.monotonicNanoseconds()) } ?? .max
    }

    /// For ext/artifact.h. A refusal becomes the call's explanation, should it fail because of it.
    func makeArtifact(_ name: UnsafePointer<CChar>?, _ size: Int) -> OpaquePointer? {
        guard host.isOnMainThread("artifact.create"), isOpen.load(ordering: .acquiring) else { return nil }
        switch ForeignText.read(dome_text_t(data: name, size: size), limitBytes: 1024) {
        case .failure(let defect):
            explanation = "the name of an artifact \(defect.reason)"
            return nil
        case .success(let name):
            switch host.makeArtifact(name) {
            case .success(let handle): return handle
            case .failure(let error):
                explanation = error.message
                return nil
            }
        }
    }

    /// How a plugin's status reads in the contract.
    private static func code(_ status: dome_status_t) -> ErrorCode {
        switch status {
        case DOME_INVALID, DOME_UNSUPPORTED: .invalidRequest
        case DOME_DENIED: .policyDenied
        case DOME_NOT_FOUND: .notFound
        case DOME_UNAVAILABLE: .resourceExhausted
        default: .internal
        }
    }
}
