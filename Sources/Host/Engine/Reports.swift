internal import DomeCatalog
package import DomeModel

/// A job as the engine tells it: from its row, and while it lives from what the engine knows beyond that.
package struct JobReport: Sendable {
    package var jobID: JobID
    package var toolID: String
    package var profile: String
    package var state: JobState
    /// For machines: why it ended as it did, e.g. "timeout"; empty for a plain exit.
    package var reason = ""
    /// The same for people.
    package var message = ""
    package var createdNanoseconds: Int64
    package var startedNanoseconds: Int64?
    package var endedNanoseconds: Int64?
    package var exitCode: Int32?
    package var signal: Int32?
    package var lastSeq: UInt64
    package var artifacts: [ArtifactReport] = []
    /// The provenance document; `null` members of it are never left out but "unknown".
    package var provenance: JSONValue = .object(JSONObject())
    /// The same as it is stored, byte for byte.
    package var provenanceText = ""
    package var enforcementJSON = ""
    package var resourcesJSON = ""
    /// The result that its tool promises, one JSON text; empty if there is none or it is too large to go along.
    package var resultJSON = ""

    package init(
        jobID: JobID, toolID: String, profile: String, state: JobState, createdNanoseconds: Int64, lastSeq: UInt64
    ) {
        self.jobID = jobID
        self.toolID = toolID
        self.profile = profile
        self.state = state
        self.createdNanoseconds = createdNanoseconds
        self.lastSeq = lastSeq
    }
}

/// Which jobs to list.
package struct JobQuery: Sendable {
    package var states: [JobState] = []
    package var toolID: String?
    package var sinceNanoseconds: Int64?
    package var untilNanoseconds: Int64?
    package var pageSize = 100
    package var pageToken: String?

    package init() {}
}

/// One page of a list, newest first.
package struct JobPage: Sendable {
    package var jobs: [JobReport]
    package var nextPageToken: String?
}

/// A tool as clients see it.
package struct ToolReport: Sendable {
    package var toolID: String
    package var version: String
    package var title: String
    package var shortDescription: String
    package var description: String
    package var kind: String
    package var executor: String
    package var permissions: [String]
    package var sideEffects: [String]
    package var inputSchemaPath: String
    package var outputSchemaPath: String
    package var inputSchemaJSON: String
    package var outputSchemaJSON: String
    package var manifestJSON: String
    /// Why it cannot be run on this machine, with the remedy; empty if nothing that it declares is missing.
    package var unavailable: String
    /// What to use instead; empty if it may be used.
    package var deprecated: String
    /// All that there are, the highest first.
    package var versions: [String]
    /// Where it is not what it was when it was first used; it is quarantined then.
    package var differences: [String]
    package var materialSHA256: String
}

/// One page of a list of tools.
package struct ToolPage: Sendable {
    package var tools: [ToolReport]
    package var nextPageToken: String?
    /// Of all pages.
    package var total: Int
}

/// A plugin as clients see it; the members are the contract's.
package struct PluginReport: Sendable {
    package var folder: String
    package var id = ""
    package var name = ""
    package var version = ""
    package var kind = ""
    package var title = ""
    package var description = ""
    package var state: String
    package var reason: String
    package var librarySHA256: String
    package var isPinned: Bool
    package var differences: [String]
    package var toolIDs: [String]
    package var permissions: [String] = []
    package var secrets: [String] = []
    package var capabilities: [String]
    package var declarationJSON: String
    package var crashes: CrashBook.Entry
    /// nil when it was not asked.
    package var health: PluginHealth?

    init(_ record: PluginRecord) {
        (folder, state, reason) = (record.folder, record.state.rawValue, record.reason)
        (librarySHA256, isPinned, differences) = (record.librarySHA256, record.isPinned, record.differences)
        toolIDs = record.tools.map(\.manifest.id)
        capabilities = record.declaration?.capabilities ?? []
        declarationJSON = record.declaration?.document.compact ?? ""
        crashes = record.crashes
        guard let file = record.file else { return }
        (id, name, version, kind) = (file.id, file.name, file.version, file.kind.rawValue)
        (title, description) = (file.title, file.description)
        (permissions, secrets) = (file.permissionTexts, file.secrets)
    }
}

/// A keeper that domed talks to.
package struct KeeperReport: Sendable {
    package var processID: Int32
    package var generation: UInt64
    package var jobs: Int
    package var version: String
}

/// How the daemon is.
package struct EngineReport: Sendable {
    package var startedNanoseconds: Int64
    package var queued: Int
    package var running: Int
    package var keepers: [KeeperReport]
    package var isSandboxWhole: Bool
    package var sandboxReportJSON: String
    /// What needs a person's attention, one sentence each with the remedy.
    package var problems: [String]
}

/// What a clean-up removed (or would).
package struct GarbageReport: Sendable {
    package var jobs: Int
    package var bytes: UInt64
}
