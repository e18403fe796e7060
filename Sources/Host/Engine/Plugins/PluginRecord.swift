package import DomeCatalog
internal import DomeLink
package import DomeModel
package import DomePlatform

/// One plugin folder, and what came of it.
package struct PluginRecord: Sendable {
    /// What may be done with it (docs/adr/0023).
    package enum State: String, Sendable {
        case ready, disabled, shadowed, refused, crashed, quarantined
    }

    package var folder: String
    package var state = State.ready
    /// Why it is not ready, and what to do; for people.
    package var reason = ""
    /// nil when plugin.json will not do.
    package var file: PluginFile?
    package var declaration: PluginDeclaration?
    /// Of the library, in hexadecimal; empty when it was not read.
    package var librarySHA256 = ""
    package var isPinned = false
    /// What else it has in its folder, as far as that is held against its pin or listed by its plugin.json.
    package var contents = PluginContents()
    /// Whether it is refused only because this machine cannot confine it.
    package var isUnconfined = false
    /// What differs from its pin, a line each.
    package var differences: [String] = []
    package var tools: [Tool] = []
    /// For `connect` and `create`; a JSON object.
    package var config: JSONObject = [:]
    /// How often it crashed, and the last time.
    package var crashes = CrashBook.Entry()
    /// Its folder as the jail mounts it: as it was when the library was hashed.
    package var mount: Mount
    /// Its library as the jail mounts it over itself; nil when it cannot be.
    package var libraryMount: Mount?
    /// Which file that was, and in which condition, when it was hashed.
    package var libraryIdentity: FileIdentity?
    /// The further files that it lists, mounted over themselves.
    package var fileMounts: [Mount] = []
    /// All that the jail mounts of it.
    package var mounts: [Mount] { [mount] + (libraryMount.map { [$0] } ?? []) + fileMounts }

    /// What the worker of an executor may have and use.
    package var grants = EffectiveGrants()
    package var limits = Limits()

    package var id: String { file?.id ?? "" }
    var libraryPath: String { folder + "/" + (file?.library ?? "") }

    /// What a worker of it depends on: another one of any of these needs another worker.
    struct Identity: Equatable {
        var folder: String
        var librarySHA256: String
        var library: FileIdentity?
        var files: [String: String?]
        var config: JSONObject
        var grants: EffectiveGrants
        var limits: Limits

        /// Whether all that may differ is the library's file, not what is in it.
        func isSameProgram(as other: Identity) -> Bool {
            var copy = other
            copy.library = library
            return self == copy
        }
    }

    var identity: Identity {
        Identity(
            folder: folder, librarySHA256: librarySHA256, library: libraryIdentity, files: contents.sha256s,
            config: config,
            grants: grants, limits: limits)
    }

    init(folder: String) {
        self.folder = folder
        mount = Mount(source: folder, target: AdapterJob.pluginFolder, isWritable: false)
    }

    /// Gives the plan of a worker what the plugin may have and use.
    package func give(to plan: inout LaunchPlan) {
        plan.mounts = grants.mounts + plan.mounts
        plan.environment += grants.passedEnvironment.map { "\($0.name)=\($0.value)" }
        (plan.network, plan.allowsUnixSockets) = (grants.network, grants.allowsUnixSockets)
        plan.limits = limits
    }

    /// The same, put aside.
    func aside(_ state: State, _ reason: String) -> PluginRecord {
        var record = self
        (record.state, record.reason, record.tools) = (state, reason, [])
        return record
    }
}

/// All plugins of this machine as last looked at. Immutable.
package struct PluginSnapshot: Sendable {
    /// In the order of the search path.
    package var records: [PluginRecord] = []
    /// Those that count, by id: the first of each.
    private var byID: [String: PluginRecord] = [:]

    init(_ records: [PluginRecord] = []) {
        self.records = records
        for record in records where !record.id.isEmpty && record.state != .shadowed { byID[record.id] = record }
    }

    package subscript(id: String) -> PluginRecord? { byID[id] }

    /// Every tool that a ready plugin offers.
    var tools: [Tool] { records.flatMap(\.tools) }

    /// Why the plugin `id` cannot be used, or nil. E_NOT_FOUND for one that is not there.
    func refusal(_ id: String, for toolID: String) -> DomeError? {
        guard let record = byID[id] else {
            return DomeError(.notFound, "plugin not found: \(id), which tool \(toolID) needs")
        }
        guard record.state != .ready else { return nil }
        return DomeError(.policyDenied, "plugin \(id) is \(record.state.rawValue): \(record.reason)")
    }
}
