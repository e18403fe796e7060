package import DomeCrypto
internal import DomeModel
internal import DomePlatform
internal import Glibc

/// The newest checkpoint, kept outside of the database: in a file of its own, and now and then in the system's journal.
/// A database that was put back to an older copy does not fit it any more.
///
/// The file has room for two notes, which are written in turn: one that was cut short by a crash leaves the other.
package final class AuditAnchor: @unchecked Sendable {
    // @unchecked: used on the store's thread alone.
    static let slotBytes = 2048
    private static let journalNanoseconds: Int64 = 60_000_000_000

    private let path: String
    private var slot = 0
    private var toldJournalNanoseconds: Int64?
    private var untold: String?

    package init(path: String) {
        self.path = path
        slot = Self.notes(path).firstIndex(where: { $0 == nil }) ?? Self.olderSlot(path)
    }

    /// The newest of the notes that are whole; nil if there is none. Nothing is verified.
    package static func newest(path: String) -> SignedNote? {
        notes(path).compactMap { $0 }.max { Self.size($0) < Self.size($1) }
    }

    private static func olderSlot(_ path: String) -> Int {
        let sizes = notes(path).map { $0.map(size) ?? 0 }
        return (sizes.first ?? 0) <= (sizes.last ?? 0) ? 0 : 1
    }

    private static func size(_ note: SignedNote) -> UInt64 {
        do throws(DomeError) { return try LogCheckpoint(parsing: note.text).size } catch { return 0 }
    }

    private static func notes(_ path: String) -> [SignedNote?] {
        var bytes: [UInt8] = []
        do throws(DomeError) { bytes = try Files.read(path, limitBytes: 2 * slotBytes) } catch {
            Log.debug("audit.no_anchor", ["error": error.description])
        }
        return (0..<2).map { slot in
            var text = Array(bytes.dropFirst(slot * slotBytes).prefix(slotBytes))
            while text.last == 0x0a || text.last == 0x20 { text.removeLast() }
            guard !text.isEmpty else { return nil }
            do throws(DomeError) { return try SignedNote(parsing: String(decoding: text, as: UTF8.self) + "\n") } catch
            {
                return nil
            }
        }
    }

    /// Writes `note` over the older of the two. Blocks for as long as a small write takes.
    func write(_ note: SignedNote) throws(DomeError) {
        var bytes = Array(note.rendered.utf8)
        guard bytes.count < Self.slotBytes else { throw DomeError(.internal, "a checkpoint is too long for \(path)") }
        bytes += [UInt8](repeating: 0x0a, count: Self.slotBytes - bytes.count)
        let file = try Files.open(path, O_WRONLY | O_CREAT | O_NOFOLLOW)
        let count = pwrite(file.number, bytes, bytes.count, off_t(slot * Self.slotBytes))
        guard count == bytes.count else { throw DomeError.system("write \(path)", count < 0 ? errno : ENOSPC) }
        slot = 1 - slot
    }

    /// Also to the system's journal, now or within a minute.
    func tell(_ note: SignedNote) { tellJournal(note.rendered, evenIfSoon: false) }

    /// Compares the anchor with a database that was just opened. One that does not fit is set aside (PATH.1, PATH.2, …) and
    /// stays evidence: the next checkpoint would overwrite it.
    func compare(_ tree: AuditTree) throws(DomeError) -> [AuditFinding] {
        guard let note = Self.newest(path: path) else {
            guard try tree.newestNote() != nil else { return [] }
            let text =
                "the anchor \(path) was missing or damaged when the daemon started, and the database has checkpoints"
            return [AuditFinding(seq: 0, what: "anchor", message: text)]
        }
        let stated = try LogCheckpoint(parsing: note.text)
        let last = try tree.database.lastAuditSeq()
        var finding: AuditFinding?
        if Int64(clamping: stated.size) > last {
            let text =
                "when the daemon started, the anchor \(path) said that there were \(stated.size) events, and the log ended "
                + "at \(last): the end was cut off, or the database is an older copy"
            finding = AuditFinding(seq: last + 1, what: "cut", message: text)
        } else if Int64(clamping: stated.size) >= tree.indexedSize,
            try tree.root(size: Int64(clamping: stated.size)) != stated.root
        {
            let text =
                "when the daemon started, the first \(stated.size) events were not those of the anchor \(path): they were "
                + "changed, or the database is another one"
            finding = AuditFinding(seq: 1, what: "anchor", message: text)
        }
        guard var finding else { return [] }
        let aside = try setAside()
        finding.message += ". The anchor was kept as \(aside)"
        return [finding]
    }

    /// Anchors that did not fit the database of their time.
    package static func evidence(path: String) -> [String] {
        (1...maximumEvidence).map { "\(path).\($0)" }.filter { Files.exists($0) }
    }

    private static let maximumEvidence = 16

    private func setAside() throws(DomeError) -> String {
        for number in 1...Self.maximumEvidence where !Files.exists("\(path).\(number)") {
            try Files.rename(path, to: "\(path).\(number)")
            return "\(path).\(number)"
        }
        // Enough is enough: the oldest sixteen tell as much.
        try Files.rename(path, to: "\(path).\(Self.maximumEvidence)")
        return "\(path).\(Self.maximumEvidence)"
    }

    /// Has the journal told what it was not told yet: before the daemon leaves.
    func settle() {
        if let untold { tellJournal(untold, evenIfSoon: true) }
    }

    /// By journald's own protocol (a datagram of fields); nothing happens where there is none. Once a minute at most.
    private func tellJournal(_ text: String, evenIfSoon: Bool) {
        let now = Clock.monotonicNanoseconds()
        untold = text
        if !evenIfSoon, let toldJournalNanoseconds, now - toldJournalNanoseconds < Self.journalNanoseconds { return }
        guard SystemJournal.send(Self.entry(text)) else { return }
        toldJournalNanoseconds = now
        untold = nil
    }

    private static func entry(_ text: String) -> [UInt8] {
        // A value of several lines is preceded by its length.
        let value = Array(text.utf8)
        let length = (0..<8).map { UInt8(truncatingIfNeeded: UInt64(value.count) >> UInt64(8 * $0)) }
        let fields = "SYSLOG_IDENTIFIER=domed-audit\nPRIORITY=6\nMESSAGE=audit checkpoint\nDOME_AUDIT_CHECKPOINT\n"
        return Array(fields.utf8) + length + value + [0x0a]
    }
}
