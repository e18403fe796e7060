package import DomeModel
import DomePlatform
import Glibc

/// Taking over a journal whose writer gets its events in batches from somewhere that can tell them again.
extension JournalWriter {
    /// Opens a journal and cuts what follows its newest STATE record: a batch that was not completed, and that nobody was
    /// shown. A journal with an EXIT record or a terminal event is complete and stays as it is; of one without a STATE
    /// record the first event stays. Space is kept for the EXIT record.
    ///
    /// - Returns: the writer, and the STATE record's payload if there is one.
    /// - Throws: as `open`; damage before the tail is set aside.
    package static func openSettled(
        path: String, _ jobID: JobID
    ) throws(DomeError) -> (writer: JournalWriter, state: [UInt8]?) {
        let writer = try open(path: path, jobID, damage: .setAside)
        let summary = try JournalSummary.scan(path: path, jobID)
        guard writer.exit == nil, !writer.hasTerminal, summary.settledByteLength < summary.byteLength else {
            writer.giveUp()
            return (try open(path: path, jobID, keepsReserve: true), summary.state)
        }
        try writer.cut(to: summary.settledByteLength)
        writer.giveUp()
        return (try open(path: path, jobID, keepsReserve: true), summary.state)
    }

    private func cut(to byteLength: Int) throws(DomeError) {
        guard let file, ftruncate(file.number, off_t(byteLength)) == 0 else {
            throw .system("cut the journal of \(jobID)", errno)
        }
    }
}
