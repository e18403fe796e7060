package import DomeModel
internal import DomePlatform

/// domed's settings, from `config.json` in the configuration folder. Every key is optional; `Setting.all` has them all
/// with their types, their limits and what they do.
package struct Configuration: Sendable, Equatable {
    /// How long SkillExecute waits for the job's end when the request does not say.
    package var executeWaitMilliseconds: UInt64 = 1_000
    /// Jobs that run at the same time; further ones are queued.
    package var maxRunningJobs: UInt64 = 32
    /// Jobs that may wait; beyond it requests are refused with E_RESOURCE_EXHAUSTED.
    package var maxQueuedJobs: UInt64 = 4_096
    /// Finished jobs older than this are removed; 0 keeps them.
    package var retentionMaxAgeSeconds: UInt64 = 30 * 86_400
    /// The oldest finished jobs are removed while all journals together are larger; 0 sets no limit.
    package var retentionMaxBytes: UInt64 = 10 << 30
    /// How long a job may wait for space on a full disk before it is ended.
    package var diskFullGraceSeconds: UInt64 = 30
    /// Files of one job's /job/out that are kept; 0 keeps none.
    package var artifactsMaxFiles: UInt64 = 1_000
    /// What they may have together, bytes; the tool's disk_bytes counts as well.
    package var artifactsMaxBytes: UInt64 = 1 << 30
    /// The largest message a client may send, bytes.
    package var maxMessageBytes: UInt64 = 16 << 20
    /// debug, info, warning or error.
    package var logLevel = "info"
    /// auto, text, json or journal.
    package var logFormat = "auto"
    /// Whether metrics are served on a Unix socket.
    package var hasMetrics = true
    /// HOST:PORT of the loopback where they are served, too; "" for nowhere.
    package var metricsAddress = ""

    package init() {}

    /// Reads the file; one that is not there gives the defaults. Whatever is wrong in it is an error that names the
    /// file, the line, the key and the remedy: a misspelt limit must not go unnoticed.
    package init(path: String) throws(DomeError) {
        try self.init(Configuration.members(path))
    }

    /// What the file says, by key, with the line of each.
    init(_ members: [Member]) throws(DomeError) {
        for member in members { try set(member) }
    }

    /// A key of the file.
    package struct Member: Sendable, Equatable {
        package var key: String
        package var value: JSONValue
        /// Where it stands, e.g. `/home/me/.config/dome/config.json, line 3`.
        package var place: String
    }

    /// The members of the file; none if it is not there.
    package static func members(_ path: String) throws(DomeError) -> [Member] {
        guard Files.exists(path) else { return [] }
        let bytes = try Files.read(path, limitBytes: 1 << 20)
        let document: JSONValue
        do throws(DomeError) { document = try JSONParser.parse(bytes, what: path) } catch {
            throw DomeError(.invalidRequest, "\(error.message); mend it there, or move the file away for the defaults")
        }
        guard let object = document.objectValue else {
            throw DomeError(
                .invalidRequest,
                "\(path): the configuration must be a JSON object such as {\"max_running_jobs\": 8}")
        }
        return object.members.map { key, value in
            Member(key: key, value: value, place: "\(path), line \(line(of: key, in: bytes))")
        }
    }

    private mutating func set(_ member: Member) throws(DomeError) {
        // What editors look for.
        if member.key == "$schema", member.value.stringValue != nil { return }
        guard let setting = Setting.all.first(where: { $0.key == member.key }) else {
            let near = Setting.all.map(\.key).min { $0.distance(to: member.key) < $1.distance(to: member.key) }
            let hint = near.map { $0.distance(to: member.key) <= 1 + $0.count / 3 ? "; did you mean \"\($0)\"?" : "" }
            throw DomeError(
                .invalidRequest,
                "\(member.place): unknown key \"\(member.key.prefix(64))\"\(hint ?? "") "
                    + "'dome config show' lists all keys")
        }
        guard setting.write(&self, member.value) else {
            throw DomeError(.invalidRequest, "\(member.place): \"\(setting.key)\" must be \(setting.form)")
        }
    }

    /// Of the member's name; names that stand in a value are no names. 1 if it cannot be found, as with escapes.
    private static func line(of key: String, in bytes: [UInt8]) -> Int {
        let wanted = Array("\"\(key)\"".utf8)
        var line = 1
        for start in bytes.indices {
            if bytes[start] == 0x0a { line += 1 }
            guard bytes[start] == 0x22, bytes[start...].starts(with: wanted) else { continue }
            let next = bytes[(start + wanted.count)...].first { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }
            if next == UInt8(ascii: ":") { return line }
        }
        return 1
    }
}

// What a reload does.
extension Configuration {
    /// The keys whose values differ.
    package func keysChanged(from other: Configuration) -> [Setting] {
        Setting.all.filter { $0.read(self) != $0.read(other) }
    }

    /// These settings with those of `other` that take effect only at a start.
    package func keepingWhatNeedsARestart(of other: Configuration) -> Configuration {
        var kept = self
        for setting in Setting.all where setting.effect == .restart { _ = setting.write(&kept, setting.read(other)) }
        return kept
    }
}
