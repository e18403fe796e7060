internal import DomeAsync
internal import DomeModel

/// Where messages to a client go, each without a newline.
@Core
protocol MessageSink: AnyObject {
    /// The answer to a request.
    func send(_ message: [UInt8])
    /// What a client is told while its request is under way.
    func sendNotification(_ message: [UInt8])
    /// A request that gets no answer, because it was canceled.
    func sendNothing()
    /// The answer to a request that is none, or cannot be done.
    func fail(_ id: JSONValue, _ error: RPCError)
}

extension MessageSink {
    func fail(_ id: JSONValue, _ error: RPCError) { send(RPCText.error(id, error)) }
}

/// A request under way.
@Core
final class Call {
    let id: RequestID
    let parameters: JSONObject
    /// What the request says beside its parameters: the client's ids of thread and turn, a token for progress.
    let meta: JSONObject
    let version: ProtocolVersion
    let client: ClientDescription
    let bridge: Bridge
    let session: Session
    private let sink: any MessageSink
    private(set) var isCancelled = false
    private var onCancel: (() -> Void)?
    private var progress = -Double.infinity

    init(
        id: RequestID, parameters: JSONObject, meta: JSONObject, version: ProtocolVersion, client: ClientDescription,
        bridge: Bridge, session: Session, sink: any MessageSink
    ) {
        (self.id, self.parameters, self.meta, self.version) = (id, parameters, meta, version)
        (self.client, self.bridge, self.session, self.sink) = (client, bridge, session, sink)
    }

    /// Nobody waits for the answer any more.
    func cancel() {
        isCancelled = true
        stopWaiting()
    }

    /// Whoever waits for something shall answer with what there is.
    func stopWaiting() {
        let action = onCancel
        onCancel = nil
        action?()
    }

    /// What `cancel` and `stopWaiting` shall do from now on; nil: nothing.
    func whenStopped(_ action: (() -> Void)?) {
        onCancel = action
        if isCancelled { stopWaiting() }
    }

    /// Tells a client that asked for it how far the work is. The protocol wants numbers that only grow.
    func report(progress value: Double) {
        guard let token = meta["progressToken"], RequestID(token) != nil, value > progress else { return }
        progress = value
        notify("notifications/progress", ["progressToken": token, "progress": .double(value)])
    }

    func notify(_ method: String, _ parameters: JSONObject) {
        sink.sendNotification(RPCText.notification(method, parameters))
    }
}
