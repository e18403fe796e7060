internal import DomeAsync
internal import DomeEngine
internal import DomeModel
internal import DomeProto
internal import DomeWire

extension DomedService {
    /// Every plugin folder, with what became of it.
    func listPlugins(_ request: Domed_V1_ListPluginsRequest) async -> Domed_V1_ListPluginsResponse {
        let plugins = await engine.listPlugins(id: request.pluginId, withHealth: request.withHealth)
        return .with {
            $0.status = .ok()
            $0.plugins = plugins.map(Self.summary)
        }
    }

    private static func summary(_ plugin: PluginReport) -> Domed_V1_PluginSummary {
        .with {
            $0.folder = plugin.folder
            $0.pluginId = plugin.id
            $0.name = plugin.name
            $0.version = plugin.version
            $0.kind = plugin.kind
            $0.title = plugin.title
            $0.description_ = plugin.description
            $0.state = plugin.state
            $0.reason = plugin.reason
            $0.librarySha256 = plugin.librarySHA256
            $0.pinned = plugin.isPinned
            $0.differences = plugin.differences
            $0.toolIds = plugin.toolIDs
            $0.permissions = plugin.permissions
            $0.secrets = plugin.secrets
            $0.capabilities = plugin.capabilities
            $0.declarationJson = plugin.declarationJSON
            $0.crashes = UInt32(clamping: plugin.crashes.total)
            $0.crashesInARow = UInt32(clamping: plugin.crashes.consecutive)
            if let health = plugin.health {
                $0.health = .with {
                    $0.ok = health.isOK
                    $0.message = health.message
                    $0.ts = Timestamp.format(nanoseconds: health.askedNanoseconds)
                }
            }
            if plugin.crashes.total > 0 {
                $0.lastCrash = .with {
                    $0.ts = Timestamp.format(nanoseconds: plugin.crashes.lastNanoseconds)
                    $0.reason = plugin.crashes.lastReason
                    $0.jobId = plugin.crashes.lastJobID
                }
            }
        }
    }
}
