package import DomeAsync
internal import DomeCatalog
internal import DomeCrypto
internal import DomeLink
package import DomeModel
package import DomePlatform
internal import DomeSchema
internal import Synchronization

/// Finds plugins, has new ones scanned, holds them against their pins, and counts their crashes. On a thread of its own:
/// a scan takes as long as the plugin lets it.
package actor PluginRegistry {
    private let executor: LoopExecutor
    private let search: PluginSearch
    private let scanner: PluginScanner
    private var stamps: [FileStamp]?
    private var hashes = LibraryHashes()
    private var crashes: CrashBook
    private let current = Mutex(PluginSnapshot())

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    /// - Parameters:
    ///   - keepsScans: whether what a scan finds is written down; `dome doctor` only looks.
    ///   - scanCommand: the program that scans a plugin (domed-worker --scan).
    package init(
        executor: LoopExecutor, search: PluginSearch, stateFolder: String, keepsScans: Bool = true,
        scanCommand: @escaping @Sendable (PluginRecord) throws(DomeError) -> Subprocess
    ) {
        self.executor = executor
        self.search = search
        scanner = PluginScanner(
            folder: stateFolder + "/plugins/scans", keepsScans: keepsScans, command: scanCommand)
        crashes = CrashBook(path: stateFolder + "/plugins/crashes.json")
    }

    /// As last looked at; from any thread.
    package nonisolated var snapshot: PluginSnapshot { current.withLock { $0 } }

    /// Looks again if anything changed; whether it did. What is new is scanned before this returns.
    package func refresh(force: Bool = false) -> Bool {
        let now = search.stamps()
        guard force || now + heldStamps() != stamps else { return false }
        stamps = now
        let began = Clock.monotonicNanoseconds()
        var drafts: [Draft] = []
        var records: [PluginRecord] = []
        for folder in search.folders() {
            drafts.append(draft(folder, among: records))
            records.append(drafts[drafts.count - 1].record)
        }
        records = completed(drafts)
        publish(records)
        // Unless one of them is to be looked at again in any case.
        if stamps != nil { stamps = now + records.flatMap(\.contents.stamps) }
        let microseconds = (Clock.monotonicNanoseconds() - began) / 1_000
        Log.info("plugin.looked", ["plugins": "\(records.count)", "us": "\(microseconds)"])
        return true
    }

    /// Of what lies deeper in folders, as it is now.
    private func heldStamps() -> [FileStamp] {
        snapshot.records.flatMap { $0.contents.paths.map(FileStamp.init(path:)) }
    }

    private func publish(_ records: [PluginRecord]) {
        for record in records where record.state != .ready && record.state != .disabled {
            let known = snapshot.records.first { $0.folder == record.folder }
            guard known?.state != record.state || known?.reason != record.reason else { continue }
            Log.warning(
                "plugin.not_ready",
                ["folder": record.folder, "state": record.state.rawValue, "reason": record.reason])
        }
        current.withLock { $0 = PluginSnapshot(records) }
    }

    // MARK: One plugin

    /// A plugin as far as it can be judged without loading it: to the end, or up to its scan.
    private struct Draft {
        var record: PluginRecord
        /// Nil for one that is not to be scanned.
        var rest: (file: PluginFile, manifestBytes: [UInt8], settings: PluginSettings)?
    }

    private func draft(_ folder: String, among others: [PluginRecord]) -> Draft {
        var record = PluginRecord(folder: folder)
        do throws(DomeError) {
            try PluginSearch.refuseForeignWriters(folder)
            let path = folder + "/" + PluginFile.name
            try PluginSearch.refuseForeignWriters(path)
            let bytes = try Files.read(path, limitBytes: 1 << 20)
            let file = try PluginFile(try JSONParser.parse(bytes, what: path), what: path)
            record.file = file
            record.crashes = crashes[file.id]
            if let first = others.first(where: { $0.id == file.id }) {
                return Draft(
                    record: record.aside(
                        .shadowed, "\(first.folder) has the same id and comes first; remove one of them"))
            }
            if let first = others.first(where: { $0.file?.name == file.name && $0.file?.kind == .adapter }),
                file.kind == .adapter
            {
                return Draft(
                    record: record.aside(
                        .refused, "plugin \(first.id) has the name \(file.name) already; give one another \"name\""))
            }
            return try judged(record, file, bytes)
        } catch {
            return Draft(record: record.aside(.refused, error.message))
        }
    }

    private func judged(
        _ start: PluginRecord, _ file: PluginFile, _ manifestBytes: [UInt8]
    ) throws(DomeError) -> Draft {
        var record = start
        let settings = try PluginSettings.read(search.directories, file.id)
        record.config = settings.config
        record.isPinned = settings.pin != nil
        guard settings.isEnabled else {
            return Draft(
                record: record.aside(.disabled, "you disabled it; to use it again: dome plugin enable \(file.id)"))
        }
        let library = record.folder + "/" + file.library
        try PluginSearch.refuseForeignWriters(library)
        let (device, inode) = PluginSearch.identity(record.folder)
        record.mount = ConfinedLaunch.pluginMount(record.folder, device: device, inode: inode)
        let known = try hashes.sha256(library)
        (record.librarySHA256, record.libraryIdentity) = (known.sha256, known.identity)
        record.libraryMount = ConfinedLaunch.libraryMount(
            record.folder, file.library, device: PluginSearch.identity(library).device, inode: known.identity.inode)
        try readContents(of: &record, file, isWhole: settings.pin?.files != nil)
        // Before any code of it runs: is it what was installed?
        record.differences = settings.differences(record)
        guard record.differences.isEmpty else { return Draft(record: changed(record)) }
        if record.crashes.quarantines(
            librarySHA256: record.librarySHA256, enabledNanoseconds: settings.enabledNanoseconds)
        {
            return Draft(record: record.aside(.quarantined, Self.crashReason(record)))
        }
        return Draft(record: record, rest: (file, manifestBytes, settings))
    }

    /// With what their scans say, made side by side.
    private func completed(_ drafts: [Draft]) -> [PluginRecord] {
        var records = drafts.map(\.record)
        let pending = drafts.indices.filter { drafts[$0].rest != nil }
        let scans = scanner.scan(
            pending.compactMap { index in
                drafts[index].rest.map { (drafts[index].record, $0.file.id, $0.manifestBytes) }
            })
        for (index, scan) in zip(pending, scans) {
            guard let (file, _, settings) = drafts[index].rest else { continue }
            do throws(DomeError) {
                records[index] = try completed(records[index], file, settings, by: scan)
            } catch {
                records[index] = records[index].aside(.refused, error.message)
            }
        }
        return records
    }

    private func completed(
        _ draft: PluginRecord, _ file: PluginFile, _ settings: PluginSettings, by scan: PluginScan
    ) throws(DomeError) -> PluginRecord {
        var record = draft
        switch scan.outcome {
        case .refused(let reason): return record.aside(.refused, reason)
        case .unable(let reason), .replaced(let reason):
            if case .unable = scan.outcome { record.isUnconfined = true }
            // It is tried again at the next occasion.
            stamps = nil
            return record.aside(.refused, reason)
        case .crashed(let place):
            return record.aside(.crashed, "its scan crashed: \(place); it is tried again when a file of it changes")
        case .declared(let text):
            let document = try JSONParser.parse(text, what: "the declaration of plugin \(file.id)")
            let declaration = try PluginDeclaration(document, of: file)
            record.declaration = declaration
            record.differences = settings.differences(record)
            guard record.differences.isEmpty else { return changed(record) }
            try checkConfig(settings.config, declaration, file)
            if file.kind == .adapter {
                record.tools = try file.tools(
                    of: declaration, folder: record.folder, librarySHA256: record.librarySHA256)
            } else {
                let manifest = try file.ownManifest()
                record.grants = try Policy.load(search.directories).evaluate(manifest, grants: [])
                record.limits = manifest.limits
                // It serves as long as the daemon does.
                if file.limits["cpu_seconds"] == nil { record.limits.cpuSeconds = 31 * 86_400 }
            }
            return record
        }
    }

    /// What lies in its folder besides plugin.json and the library: all of it where a pin says what may, and what
    /// plugin.json lists in any case.
    private func readContents(of record: inout PluginRecord, _ file: PluginFile, isWhole: Bool) throws(DomeError) {
        let folder = record.folder
        var inodes: [String: UInt64] = [:]
        func sha256(_ path: String) throws(DomeError) -> String {
            try PluginSearch.refuseForeignWriters(path)
            let known = try hashes.sha256(path)
            inodes[path] = known.identity.inode
            return known.sha256
        }
        record.contents =
            isWhole
            ? try PluginContents(of: folder, file, sha256: sha256)
            : try PluginContents(listedBy: file, in: folder, sha256: sha256)
        record.fileMounts = file.files.compactMap { path in
            let device = PluginSearch.identity("\(folder)/\(path)").device
            return ConfinedLaunch.libraryMount(folder, path, device: device, inode: inodes["\(folder)/\(path)"] ?? 0)
        }
    }

    private func changed(_ record: PluginRecord) -> PluginRecord {
        record.aside(
            .quarantined,
            "it is not what was installed: \(record.differences.joined(separator: "; ")). If that is meant, install it "
                + "again: dome plugin install \(record.folder)")
    }

    private static func crashReason(_ record: PluginRecord) -> String {
        let job = record.crashes.lastJobID.isEmpty ? "" : " in job \(record.crashes.lastJobID)"
        return "it crashed \(record.crashes.consecutive) times in a row, last \(record.crashes.lastReason)\(job); "
            + "install a better one, or try it again: dome plugin enable \(record.id)"
    }

    private func checkConfig(
        _ config: JSONObject, _ declaration: PluginDeclaration, _ file: PluginFile
    ) throws(DomeError) {
        guard let schema = declaration.configSchema, !config.isEmpty else { return }
        let violations = schema.validate(.object(config))
        guard !violations.isEmpty else { return }
        throw DomeError(
            .invalidRequest,
            "its configuration (\(search.directories.config)/plugins/\(file.id).json) does not fit its schema: "
                + violations.map(\.description).joined(separator: "; "))
    }

    // MARK: Crashes and secrets

    /// A crash of the plugin's code; whether it is quarantined from now on.
    package func noteCrash(_ id: String, _ reason: String, jobID: String) -> Bool {
        guard let record = snapshot[id] else { return false }
        crashes.noteCrash(id, reason, jobID: jobID, librarySHA256: record.librarySHA256)
        _ = refresh(force: true)
        return snapshot[id]?.state == .quarantined && record.state != .quarantined
    }

    /// A call of it ended without one.
    package func noteSurvival(_ id: String) {
        guard crashes[id].consecutive > 0 else { return }
        crashes.noteSurvival(id)
        _ = refresh(force: true)
    }

    /// A ready adapter with what its jobs have in any case, to be asked how it is, and its secrets. E_POLICY_DENIED when
    /// the policy lets it have less than it needs.
    func prepared(
        _ record: PluginRecord
    ) throws(DomeError) -> (plugin: PluginRecord, secrets: [(name: String, value: [UInt8])]) {
        guard let file = record.file else { return (record, []) }
        var plugin = record
        let manifest = try file.ownManifest()
        plugin.grants = try Policy.load(search.directories).evaluate(manifest, grants: [])
        plugin.limits = manifest.limits
        return (plugin, try PluginSettings.secrets(search.directories, file.id, file.secrets))
    }

    /// The secrets of a plugin's jobs, from the disk.
    package func secrets(_ id: String) throws(DomeError) -> [(name: String, value: [UInt8])] {
        try PluginSettings.secrets(search.directories, id, snapshot[id]?.file?.secrets ?? [])
    }
}
