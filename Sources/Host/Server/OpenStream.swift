internal import DomeAsync
internal import DomeProto
internal import DomeTransport
internal import DomeWire

/// One client that reads a stream at its own pace: what all streams of the service have in common. The service holds it
/// from `open` on until the call ends, whoever ends it. To be subclassed.
@Core
class OpenStream {
    let service: DomedService
    let call: ServerCall
    private(set) var isEnded = false

    init(_ service: DomedService, _ call: ServerCall) { (self.service, self.call) = (service, call) }

    /// From now on `advance` is called when the client has taken what was sent.
    final func open() {
        service.openStreams[ObjectIdentifier(self)] = self
        call.onCancel = { [self] _ in Core.assumeIsolated { end() } }
        call.onWritable = { [self] in Core.assumeIsolated { advance() } }
    }

    /// Sends what there is, as far as the client takes it (`call.canSend`).
    func advance() {}

    /// Lets go of what the stream holds; called once, at its end.
    func release() {}

    /// What the client is told when the daemon leaves: how to go on.
    var farewell: String { "the daemon is leaving" }

    final func send<Message: ProtoMessage>(_ message: Message) {
        message.serialized().withUnsafeBytes { call.send(message: $0) }
    }

    final func finish(_ status: GRPCStatus) {
        guard !isEnded else { return }
        end()
        call.finish(status)
    }

    /// The daemon is leaving. Ends the stream with what a client takes as a reason to try again.
    final func dismiss() { finish(GRPCStatus(.unavailable, farewell)) }

    private func end() {
        guard !isEnded else { return }
        isEnded = true
        service.openStreams[ObjectIdentifier(self)] = nil
        release()
    }
}
