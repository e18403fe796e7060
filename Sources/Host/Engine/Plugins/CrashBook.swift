internal import DomeModel
internal import DomePlatform

/// How often plugins crashed, by id; kept in a file, so that a restart forgives nothing.
package struct CrashBook: Sendable {
    package struct Entry: Sendable, Equatable {
        /// All that were seen.
        package var total = 0
        /// Since a call of it last ended otherwise.
        package var consecutive = 0
        package var lastNanoseconds: Int64 = 0
        /// Signal and place.
        package var lastReason = ""
        /// Empty when it happened in no job.
        package var lastJobID = ""
        /// Of the library that crashed.
        package var librarySHA256 = ""

        package init() {}

        /// Whether it is to be left alone.
        func quarantines(librarySHA256 current: String, enabledNanoseconds: Int64) -> Bool {
            consecutive >= CrashBook.limit && librarySHA256 == current && lastNanoseconds > enabledNanoseconds
        }
    }

    /// Crashes in a row that quarantine a plugin.
    static let limit = 3

    private var entries: [String: Entry] = [:]
    private let path: String
    private var isUnreadable = false

    /// Reads the file. One that cannot be read is put aside before another is written.
    init(path: String) {
        self.path = path
        guard Files.exists(path) else { return }
        do throws(DomeError) {
            let document = try JSONParser.parse(try Files.read(path, limitBytes: 8 << 20), what: path)
            for (id, value) in document.objectValue?.members ?? [] {
                var entry = Entry()
                entry.total = Int(clamping: value["total"]?.integerValue ?? 0)
                entry.consecutive = Int(clamping: value["consecutive"]?.integerValue ?? 0)
                entry.lastNanoseconds = value["at"]?.stringValue.flatMap(Timestamp.parse) ?? 0
                entry.lastReason = value["reason"]?.stringValue ?? ""
                entry.lastJobID = value["job_id"]?.stringValue ?? ""
                entry.librarySHA256 = value["library_sha256"]?.stringValue ?? ""
                entries[id] = entry
            }
        } catch {
            Log.error("plugin.crashes_unreadable", ["path": path, "error": error.description])
            isUnreadable = true
        }
    }

    subscript(id: String) -> Entry { entries[id] ?? Entry() }

    mutating func noteCrash(_ id: String, _ reason: String, jobID: String, librarySHA256: String) {
        var entry = self[id]
        if entry.librarySHA256 != librarySHA256 { entry.consecutive = 0 }
        entry.total += 1
        entry.consecutive += 1
        entry.lastNanoseconds = Clock.wallNanoseconds()
        (entry.lastReason, entry.lastJobID, entry.librarySHA256) = (reason, jobID, librarySHA256)
        entries[id] = entry
        save()
    }

    /// A call of it ended without a crash.
    mutating func noteSurvival(_ id: String) {
        guard var entry = entries[id], entry.consecutive > 0 else { return }
        entry.consecutive = 0
        entries[id] = entry
        save()
    }

    private mutating func save() {
        var document = JSONObject()
        for (id, entry) in entries.sorted(by: { $0.key < $1.key }) {
            document[id] = [
                "total": .integer(Int64(entry.total)), "consecutive": .integer(Int64(entry.consecutive)),
                "at": .string(Timestamp.format(nanoseconds: entry.lastNanoseconds)),
                "reason": .string(entry.lastReason), "job_id": .string(entry.lastJobID),
                "library_sha256": .string(entry.librarySHA256),
            ]
        }
        do throws(DomeError) {
            if isUnreadable { try Files.rename(path, to: path + ".unreadable") }
            isUnreadable = false
            if let slash = path.lastIndex(of: "/") { try Files.makeDirectories(String(path[..<slash])) }
            try Files.writeAtomically(path, Array(JSONValue.object(document).indented.utf8))
        } catch {
            Log.warning("plugin.crashes_unsaved", ["error": error.description])
        }
    }
}
