internal import DomeAsync
internal import DomeEngine
internal import DomeProto
internal import DomeTransport
internal import DomeWire

extension DomedService {
    /// Tells of tools that come, go or change. A slow client gets what has changed since the last message it took, in one.
    func watchTools(_ request: Domed_V1_WatchToolsRequest, _ call: ServerCall) {
        Core.task { [self] in
            // What was changed before the call is nothing new.
            await engine.reloadRegistry()
            ToolWatcher(self, call).start()
        }
    }
}

/// One client that watches the registry.
@Core
final class ToolWatcher {
    private let service: DomedService
    private let call: ServerCall
    private var observation: ToolObservation?
    private var isEnded = false

    init(_ service: DomedService, _ call: ServerCall) {
        (self.service, self.call) = (service, call)
    }

    func start() {
        service.toolWatchers[ObjectIdentifier(self)] = self
        call.onCancel = { [self] _ in Core.assumeIsolated { end() } }
        call.onWritable = { [self] in Core.assumeIsolated { advance() } }
        observation = ToolObservation(service.engine) { [weak self] in self?.advance() }
        call.sendHeaders()
        send(Domed_V1_WatchToolsResponse())
        advance()
    }

    /// The daemon is leaving.
    func dismiss() {
        guard !isEnded else { return }
        end()
        call.finish(GRPCStatus(.unavailable, "the daemon is leaving; watch again, and list the tools anew"))
    }

    private func advance() {
        guard !isEnded, call.canSend, let changes = observation?.changes() else { return }
        send(
            .with {
                $0.added = changes.added.map(DomedService.summary)
                $0.changed = changes.changed.map(DomedService.summary)
                $0.removed = changes.removed
            })
    }

    private func send(_ message: Domed_V1_WatchToolsResponse) {
        message.serialized().withUnsafeBytes { call.send(message: $0) }
    }

    private func end() {
        guard !isEnded else { return }
        isEnded = true
        observation?.cancel()
        service.toolWatchers[ObjectIdentifier(self)] = nil
    }
}
