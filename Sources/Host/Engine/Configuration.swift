// Room Engine: what happens to a job. A request comes in as a value, is checked against the catalog and the
// policy, admitted in one transaction, turned into a launch plan by its executor, started by a keeper,
// followed by its journal, finished in one transaction. The files read in that order: SubmitRequest,
// Engine+Admission, Engine+Dispatch, Engine+Finish; Engine+Recovery repeats them after a restart.

package import DomeModel
internal import DomePlatform

/// domed's settings, from `config.json` in the configuration folder. Every key is optional.
package struct Configuration: Sendable, Equatable {
    /// How long SkillExecute waits for the job's end when the request does not say.
    package var executeWaitMilliseconds: UInt64 = 1_000
    /// Jobs that run at the same time; further ones are queued.
    package var maxRunningJobs = 32
    /// Jobs that may wait; beyond it requests are refused with E_RESOURCE_EXHAUSTED.
    package var maxQueuedJobs = 4_096
    /// Finished jobs older than this are removed; 0 keeps them.
    package var retentionMaxAgeSeconds: UInt64 = 30 * 86_400
    /// The oldest finished jobs are removed while all journals together are larger; 0 sets no limit.
    package var retentionMaxBytes: UInt64 = 10 << 30
    /// How long a job may wait for space on a full disk before it is ended.
    package var diskFullGraceSeconds: UInt64 = 30
    /// Files of one job's /job/out that are kept; 0 keeps none.
    package var artifactsMaxFiles = 1_000
    /// What they may have together, bytes; the tool's disk_bytes counts as well.
    package var artifactsMaxBytes: UInt64 = 1 << 30
    /// The largest message a client may send, bytes.
    package var maxMessageBytes: UInt64 = 16 << 20

    package init() {}

    /// Reads the file; one that is not there gives the defaults. An unknown key or a wrong type is an error that
    /// names file and key: a misspelt limit must not go unnoticed.
    package init(path: String) throws(DomeError) {
        guard Files.exists(path) else { return }
        let document = try JSONParser.parse(try Files.read(path, limitBytes: 1 << 20), what: path)
        guard let object = document.objectValue else {
            throw DomeError(.invalidRequest, "\(path): the configuration must be a JSON object")
        }
        for (key, value) in object.members {
            guard let number = value.integerValue, number >= 0 else {
                throw DomeError(.invalidRequest, "\(path): \"\(key.prefix(64))\" must be a whole number, not negative")
            }
            try set(key, UInt64(number), path)
        }
    }

    private mutating func set(_ key: String, _ number: UInt64, _ path: String) throws(DomeError) {
        switch key {
        case "execute_wait_ms": executeWaitMilliseconds = number
        case "max_running_jobs": maxRunningJobs = try Self.count(number, key, path)
        case "max_queued_jobs": maxQueuedJobs = try Self.count(number, key, path)
        case "retention_max_age_seconds": retentionMaxAgeSeconds = number
        case "retention_max_bytes": retentionMaxBytes = number
        case "disk_full_grace_seconds": diskFullGraceSeconds = number
        case "artifacts_max_files": artifactsMaxFiles = try Self.count(number, key, path, 0...10_000)
        case "artifacts_max_bytes": artifactsMaxBytes = number
        case "max_message_bytes": maxMessageBytes = max(4096, number)
        default:
            throw DomeError(
                .invalidRequest,
                "\(path): unknown key \"\(key.prefix(64))\"; known are execute_wait_ms, max_running_jobs, "
                    + "max_queued_jobs, retention_max_age_seconds, retention_max_bytes, disk_full_grace_seconds, "
                    + "artifacts_max_files, artifacts_max_bytes, max_message_bytes")
        }
    }

    private static func count(
        _ number: UInt64, _ key: String, _ path: String, _ range: ClosedRange<UInt64> = 1...1_000_000
    ) throws(DomeError) -> Int {
        guard range.contains(number) else {
            throw DomeError(
                .invalidRequest, "\(path): \"\(key)\" must be between \(range.lowerBound) and \(range.upperBound)")
        }
        return Int(number)
    }
}
