internal import DomeCatalog
internal import DomeCrypto
internal import DomeModel
internal import DomePlatform
internal import Glibc
internal import Synchronization

/// Scans plugins, several side by side; one that was scanned before, with the same content, is not loaded again.
struct PluginScanner: Sendable {
    /// Where what was heard is kept, by content.
    let folder: String
    /// Whether it is.
    let keepsScans: Bool
    /// The program that scans a plugin.
    let command: @Sendable (PluginRecord) throws(DomeError) -> Subprocess

    typealias Request = (record: PluginRecord, id: String, manifestBytes: [UInt8])

    /// What came of each, in their order. Blocks until all have ended.
    func scan(_ requests: [Request]) -> [PluginScan] {
        let paths = requests.map { request in Result { () throws(DomeError) in try path(of: request) } }
        var scans = paths.map { path in (try? path.get()).flatMap(PluginScan.read) }
        let unknown = scans.indices.filter { scans[$0] == nil }
        let width = min(4, max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))))
        let found = concurrently(unknown.count, width: width, named: "dome-scan") { number in
            load(requests[unknown[number]], keptAt: paths[unknown[number]])
        }
        for (index, scan) in zip(unknown, found) { scans[index] = scan }
        return scans.map { $0 ?? PluginScan(outcome: .unable("it was not scanned")) }
    }

    private func path(of request: Request) throws(DomeError) -> String {
        let record = request.record
        let others = record.contents.sha256s.isEmpty ? "" : record.contents.document.compact
        let key = try SHA256.digest(Array("\(record.librarySHA256)\n\(others)".utf8) + request.manifestBytes)
        return "\(folder)/\(key.hex).json"
    }

    private func load(_ request: Request, keptAt path: Result<String, DomeError>) -> PluginScan {
        do throws(DomeError) {
            let path = try path.get()
            let began = Clock.monotonicNanoseconds()
            let scan = PluginScan.run(request.record, by: command)
            let milliseconds = (Clock.monotonicNanoseconds() - began) / 1_000_000
            Log.info(
                "plugin.scanned",
                ["plugin": request.id, "folder": request.record.folder, "ms": "\(milliseconds)"])
            guard keepsScans, scan.isKept else { return scan }
            try Files.makeDirectories(folder)
            try scan.write(path)
            return scan
        } catch {
            return PluginScan(outcome: .refused(error.message))
        }
    }
}
