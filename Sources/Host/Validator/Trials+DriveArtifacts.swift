internal import DomeCatalog
internal import DomeLink
internal import DomeModel
internal import PluginABI

// What jobs that are driven elsewhere leave (executor_drive.h).
extension Validator {
    /// Of one artifact.
    private static let readLimitBytes: UInt64 = 16 << 20
    private static let artifactsRead = 4
    private static let stepLimit = 256

    static let driveArtifactTrials: [Trial] = [
        Trial(
            "drive-artifacts", "what a job left is listed, and read as it is listed, by another process too",
            kind: .executor
        ) { bench throws(TrialEnd) in
            let stage = try driver(bench)
            guard try stage.driveTable().present.dropFirst(4).contains(true) else {
                throw .skipped("its jobs leave nothing")
            }
            let handle = try start(stage, try drivenJob(bench))
            let ending = try stage.drive(.cancelByForce, Array(handle.utf8))
            try require(ending.isOK, "cancel came to \(ending.statusName), \(ending.explanationText)")
            _ = try untilEnded(stage, handle)
            let listed = try list(stage, handle)
            for entry in listed.entries {
                let name = entry.name.prefix(80)
                try require(
                    PathText.isPlainRelative(entry.name),
                    "'\(name)' is listed: name them by relative paths of plain parts")
                try require(
                    entry.name.utf8.count <= 512, "'\(name)…' has \(entry.name.utf8.count) bytes; 512 are kept")
            }
            let other = try driver(bench)
            let recovery = try other.drive(.recover, Array(handle.utf8))
            try require(recovery.isOK, "recover came to \(recovery.statusName), \(recovery.explanationText)")
            try require(try list(other, handle) == listed, "asked again, it lists something else")
            for entry in listed.entries.prefix(artifactsRead) where entry.byteCount <= readLimitBytes {
                let bytes = try read(stage, handle, entry)
                try require(
                    try read(other, handle, entry) == bytes, "'\(entry.name)' reads differently the second time")
            }
            try refusesStrangers(stage, handle)
            return "\(listed.entries.count) of them"
        }
    ]

    private static func list(_ stage: Stage, _ handle: String) throws(TrialEnd) -> DriveArtifacts {
        let outcome = try stage.drive(.listArtifacts, Array(handle.utf8))
        try require(outcome.isOK, "list_artifacts failed: \(outcome.statusName), \(outcome.explanationText)")
        try soon(outcome, "list_artifacts")
        do throws(DomeError) { return try DriveArtifacts(outcome.reply) } catch { throw .failed(error.message) }
    }

    /// The whole of it, in pieces of no particular size.
    private static func read(
        _ stage: Stage, _ handle: String, _ entry: DriveArtifacts.Entry
    ) throws(TrialEnd) -> [UInt8] {
        var bytes: [UInt8] = []
        let pieces: [Int64] = [1, 4_095, 1 << 20]
        for step in 0... {
            // Small pieces are allowed, and are not waited for without end.
            if step == stepLimit { return bytes }
            let size = pieces[min(step, pieces.count - 1)]
            let outcome = try stage.readArtifact(handle, entry.name, from: UInt64(bytes.count), size: size)
            try require(
                outcome.isOK, "read_artifact of '\(entry.name)': \(outcome.statusName), \(outcome.explanationText)")
            try soon(outcome, "read_artifact")
            let count = outcome.reply.count
            try require(
                count <= size, "read_artifact gave \(count) bytes of '\(entry.name)' where \(size) were asked for")
            if count == 0 { break }
            bytes += outcome.reply
            try require(
                UInt64(bytes.count) <= entry.byteCount,
                "'\(entry.name)' has more bytes than the \(entry.byteCount) that are listed")
        }
        try require(
            UInt64(bytes.count) == entry.byteCount,
            "'\(entry.name)' ends after \(bytes.count) bytes, \(entry.byteCount) are listed")
        return bytes
    }

    /// A name that was not listed is none, and least of all a way out.
    private static func refusesStrangers(_ stage: Stage, _ handle: String) throws(TrialEnd) {
        for name in ["no such artifact", "../../../../../../../../etc/passwd", "/etc/passwd", ""] {
            let outcome = try stage.readArtifact(handle, name, from: 0, size: 64)
            try require(
                !outcome.isOK && outcome.isKnown,
                "read_artifact of '\(name)', which was not listed, came to \(outcome.statusName): answer DOME_NOT_FOUND"
            )
        }
    }
}
