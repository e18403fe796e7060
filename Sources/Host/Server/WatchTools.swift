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

    /// Of tools in a message: a registry that comes or goes whole may have ten thousand, and unprepared clients take 4 MiB.
    private static let toolsPerMessage = 500

    override func advance() {
        guard !isEnded, call.canSend, let changes = observation?.changes() else { return }
        let (added, changed, removed) = (changes.added, changes.changed, changes.removed)
        for start in stride(from: 0, to: max(added.count, changed.count, removed.count), by: Self.toolsPerMessage) {
            send(
                Domed_V1_WatchToolsResponse.with {
                    $0.added = added.dropFirst(start).prefix(Self.toolsPerMessage).map(DomedService.summary)
                    $0.changed = changed.dropFirst(start).prefix(Self.toolsPerMessage).map(DomedService.summary)
                    $0.removed = Array(removed.dropFirst(start).prefix(Self.toolsPerMessage))
                })
        }
    }

    override func release() { observation?.cancel() }
}
