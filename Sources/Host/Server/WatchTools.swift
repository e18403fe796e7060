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
final class ToolWatcher: OpenStream {
    private var observation: ToolObservation?

    func start() {
        open()
        observation = ToolObservation(service.engine) { [weak self] in self?.advance() }
        call.sendHeaders()
        send(Domed_V1_WatchToolsResponse())
        advance()
    }

    override var farewell: String { "the daemon is leaving; watch again, and list the tools anew" }

    override func advance() {
        guard !isEnded, call.canSend, let changes = observation?.changes() else { return }
        send(
            Domed_V1_WatchToolsResponse.with {
                $0.added = changes.added.map(DomedService.summary)
                $0.changed = changes.changed.map(DomedService.summary)
                $0.removed = changes.removed
            })
    }

    override func release() { observation?.cancel() }
}
