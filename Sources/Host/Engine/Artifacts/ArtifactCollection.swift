internal import DomeCrypto
internal import DomeModel
internal import DomeStore

/// What became of what a job left in /job/out, or where it ran.
enum ArtifactOutcome: Sendable {
    /// There was nothing, or the job never ran.
    case none
    case kept(ArtifactCollection)
    /// There may have been something; why it is gone, unless the way the job ended says that already.
    case lost(String?)

    var artifacts: [Artifact] { if case .kept(let collection) = self { collection.artifacts } else { [] } }

    /// What the copies take on the disk.
    var byteCount: UInt64 { artifacts.reduce(0) { $0 &+ $1.byteCount } }

    /// How the GUARD event's payload begins: an earlier life of the daemon may have written one.
    static let guardPrefix = "{\"guard\":\"artifacts\","

    /// What the event before the terminal one says, if there is anything to say.
    var guardPayload: [UInt8]? {
        switch self {
        case .none, .lost(nil): return nil
        case .kept(let collection): return collection.omissions.payload(kept: collection.artifacts.count, byteCount)
        case .lost(let why?):
            let document: JSONValue = [
                "guard": "artifacts", "message": .string("what the job left is lost: " + why),
                "lost": true,
            ]
            return Array(document.compact.utf8)
        }
    }

    /// The provenance document's part.
    func products(_ output: OutputDigests) -> JSONValue {
        var object = JSONObject()
        for (name, value) in output.members { object[name] = value }
        object["artifacts"] = .array(
            artifacts.map { artifact in
                [
                    "path": .string(artifact.path), "sha256": .string(artifact.sha256?.hex ?? "unknown"),
                    "bytes": .integer(Int64(clamping: artifact.byteCount)),
                ]
            })
        switch self {
        case .none: break
        case .kept(let collection):
            let count = collection.omissions.count
            if count > 0 { object["artifacts_left_out"] = .integer(Int64(clamping: count)) }
        case .lost: object["artifacts_lost"] = true
        }
        return .object(object)
    }
}

/// The copies that were made, and what was left out.
struct ArtifactCollection: Sendable, Equatable {
    /// Their paths are those below /job/out, or as the executor called them, as `ArtifactName` spells them.
    var artifacts: [Artifact] = []
    var omissions = ArtifactOmissions()
}

/// How much of a job's /job/out is kept.
struct ArtifactLimits: Sendable, Equatable {
    var files: Int
    /// All files together, by their length and not by what they take: a file with holes counts in full.
    var bytes: UInt64
    /// Folders within folders.
    var depth = 16
    /// Names that are looked at; what a folder has beyond is counted, up to `countedNames`.
    var names = 20_000
    var countedNames: UInt64 = 1_000_000
    /// What is left free on the disk, so that the job's end can be written.
    var spareDiskBytes: UInt64 = 1 << 20
}

/// What was left out, why, and the first names.
struct ArtifactOmissions: Sendable, Equatable {
    enum Reason: String, Sendable, CaseIterable {
        case link
        case special
        case depth
        case name
        case files
        case bytes
        case unreadable
        case disk
        case names
        case path
        case late

        /// For people, after a number.
        var text: String {
            switch self {
            case .link: "symbolic links"
            case .special: "FIFOs, sockets or the like"
            case .depth: "in folders too deep"
            case .name: "with too long a name or path"
            case .files: "over the limit of files"
            case .bytes: "over the limit of bytes"
            case .unreadable: "not readable"
            case .disk: "for which the disk had no room"
            case .names: "not looked at, there are too many"
            case .path: "with a name that is no plain path, or taken"
            case .late: "not handed over in time"
            }
        }
    }

    struct Example: Sendable, Equatable {
        var path: String
        var reason: Reason
    }

    private(set) var counts: [Reason: UInt64] = [:]
    private(set) var examples: [Example] = []
    private static let exampleLimit = 16

    var count: UInt64 { counts.values.reduce(0, &+) }

    mutating func add(_ path: String, _ reason: Reason, count: UInt64 = 1) {
        counts[reason, default: 0] &+= count
        guard examples.count < Self.exampleLimit else { return }
        examples.append(Example(path: Self.shortened(path), reason: reason))
    }

    private static func shortened(_ path: String) -> String {
        let limit = ArtifactName.pathLimitBytes
        return path.utf8.count > limit ? path.cut(toBytes: limit) + "…" : path
    }

    /// The GUARD event; nil when nothing was left out.
    func payload(kept: Int, _ keptBytes: UInt64) -> [UInt8]? {
        guard count > 0 else { return nil }
        let reasons = Reason.allCases.compactMap { reason in counts[reason].map { (reason, $0) } }
        var leftOut = JSONObject()
        for (reason, count) in reasons { leftOut[reason.rawValue] = .integer(Int64(clamping: count)) }
        let words = reasons.map { "\($1) \($0.text)" }.joined(separator: ", ")
        let document: JSONValue = [
            "guard": "artifacts", "message": .string("left out of what the job left: " + words),
            "kept": .integer(Int64(kept)), "kept_bytes": .integer(Int64(clamping: keptBytes)),
            "left_out": .object(leftOut),
            "first": .array(examples.map { ["path": .string($0.path), "reason": .string($0.reason.rawValue)] }),
        ]
        return Array(document.compact.utf8)
    }
}
