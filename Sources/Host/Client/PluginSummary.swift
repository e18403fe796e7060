internal import DomeProto
internal import DomeWire

/// One plugin as the daemon has it (ListPlugins). The names are the contract's.
package struct PluginSummary: Sendable, Equatable {
    package var folder = ""
    package var pluginID = ""
    package var name = ""
    package var version = ""
    package var kind = ""
    package var title = ""
    package var description = ""
    package var state = ""
    package var reason = ""
    package var librarySHA256 = ""
    package var isPinned = false
    package var differences: [String] = []
    package var toolIDs: [String] = []
    package var permissions: [String] = []
    package var secrets: [String] = []
    package var capabilities: [String] = []
    package var crashes: UInt32 = 0
    package var crashesInARow: UInt32 = 0
    /// "" when it never crashed.
    package var lastCrash = ""
    /// Whether it says that it is well; nil when it was not asked.
    package var isHealthy: Bool?
    package var health = ""
    package init() {}

    init(_ message: Domed_V1_PluginSummary) {
        folder = message.folder
        (pluginID, name, version, kind) = (message.pluginId, message.name, message.version, message.kind)
        (title, description) = (message.title, message.description_)
        (state, reason) = (message.state, message.reason)
        (librarySHA256, isPinned, differences) = (message.librarySha256, message.pinned, message.differences)
        (toolIDs, permissions) = (message.toolIds, message.permissions)
        (secrets, capabilities) = (message.secrets, message.capabilities)
        (crashes, crashesInARow) = (message.crashes, message.crashesInARow)
        if let health = message.health { (isHealthy, self.health) = (health.ok, health.message) }
        if let crash = message.lastCrash {
            lastCrash = crash.ts + ": " + crash.reason + (crash.jobId.isEmpty ? "" : ", job " + crash.jobId)
        }
    }
}
