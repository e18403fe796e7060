internal import DomeLink
internal import DomeModel

/// What an executor hands in of a driven job's artifacts, kept as what lies in /job/out is. Names are the executor's, and
/// nothing it says makes anything else than a regular file of ours below the target. Blocks; one thread at a time.
final class DrivenCopies {
    private let copies: ArtifactCopies
    private var waiting: ArraySlice<DriveArtifacts.Entry>
    /// Names that stand for a file, and those that stand for a folder.
    private var files: Set<[UInt8]> = []
    private var folders: Set<[UInt8]> = []
    private var current: (entry: DriveArtifacts.Entry, copy: ArtifactCopy)?

    /// What to ask for next.
    struct Wish: Sendable, Equatable {
        var name: String
        var offset: UInt64
        var size: UInt32
    }

    init(
        _ listed: DriveArtifacts, to target: String, _ limits: ArtifactLimits, sharing content: ContentStore? = nil
    ) throws(DomeError) {
        copies = try ArtifactCopies(target, limits, sharing: content)
        waiting = listed.entries.prefix(limits.names)
        let beyond = listed.entries.count - waiting.count
        if beyond > 0 { copies.omit("/", .names, count: UInt64(beyond)) }
    }

    var collection: ArtifactCollection { copies.collection }

    /// What is to be read next; nil when all is done.
    func next() -> Wish? {
        while true {
            if let (entry, copy) = current {
                let missing = entry.byteCount - min(entry.byteCount, copy.byteCount)
                // One byte more than there should be shows one that goes on.
                let size = UInt32(clamping: min(UInt64(DriveArtifacts.pieceBytes), max(1, missing)))
                return Wish(name: entry.name, offset: copy.byteCount, size: size)
            }
            guard let entry = waiting.popFirst() else { return nil }
            begin(entry)
        }
    }

    private func begin(_ entry: DriveArtifacts.Entry) {
        let bytes = entry.name.utf8
        guard bytes.count <= ArtifactName.pathLimitBytes else { return copies.omit(Self.spelled(entry.name), .name) }
        guard PathText.isPlainRelative(entry.name) else { return copies.omit(Self.spelled(entry.name), .path) }
        let parts = bytes.split(separator: UInt8(ascii: "/")).map { ArtifactName.encode(Array($0)) }
        let path = parts.joined(separator: "/")
        guard copies.isNamedWell(path, parts.max { $0.utf8.count < $1.utf8.count } ?? "") else { return }
        guard parts.count - 1 <= copies.limits.depth else { return copies.omit(path, .depth) }
        // As bytes: two spellings of one text are two names.
        let name = Array(path.utf8)
        let above = (1..<parts.count).map { Array(parts[..<$0].joined(separator: "/").utf8) }
        guard !files.contains(name), !folders.contains(name), files.isDisjoint(with: above) else {
            return copies.omit(path, .path)
        }
        files.insert(name)
        folders.formUnion(above)
        if let copy = copies.begin(path, size: entry.byteCount) { current = (entry, copy) }
    }

    /// What the executor answered to the last wish.
    func take(_ bytes: [UInt8]) {
        guard let (entry, copy) = current else { return }
        let missing = entry.byteCount - min(entry.byteCount, copy.byteCount)
        if missing == 0, bytes.isEmpty {
            copies.keep(copy)
            current = nil
        } else if bytes.isEmpty || UInt64(bytes.count) > missing {
            leaveOut(.unreadable)
        } else if !bytes.withUnsafeBytes({ copies.write($0, to: copy) }) {
            current = nil
        }
    }

    /// The file under way cannot be had.
    func leaveOut(_ reason: ArtifactOmissions.Reason) {
        guard let (_, copy) = current else { return }
        copies.omit(copy.path, reason)
        current = nil
    }

    /// Nor can the rest.
    func leaveOutRest(_ reason: ArtifactOmissions.Reason) {
        leaveOut(reason)
        for entry in waiting { copies.omit(Self.spelled(entry.name), reason) }
        waiting = []
    }

    /// A name that stands for no file, to be shown: as one name, and not at any length.
    private static func spelled(_ name: String) -> String {
        ArtifactName.encode(Array(name.utf8.prefix(ArtifactName.pathLimitBytes)))
    }
}
