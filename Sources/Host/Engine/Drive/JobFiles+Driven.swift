internal import DomeLink
internal import DomeModel

// The journals of jobs that executors drive: open as long as the job lives.
extension JobFiles {
    /// Opens a job's journal, or finds it open; how far it is, and how the job ended if that is in it.
    func openDriven(
        _ job: JobID, _ limits: DriveLimits
    ) throws(DomeError) -> (head: DrivenJournal.Head, exit: ExitReport?) {
        if let journal = driven[job] { return (journal.head, journal.exit) }
        let journal = try DrivenJournal(path: journalPath(job), job, limits)
        driven[job] = journal
        return (journal.head, journal.exit)
    }

    /// Writes what a report brings; see `DrivenJournal.take`.
    func record(_ report: DriveReport, number: UInt64, of job: JobID) throws(DomeError) -> DrivenJournal.Head {
        try open(job).take(report, number: number)
    }

    /// Says once in a job's journal that somebody asked for its end.
    func noteCancel(of job: JobID, _ payload: [UInt8]) throws(DomeError) -> DrivenJournal.Head {
        try open(job).noteCancel(payload)
    }

    /// Ends a job's journal but for the terminal event, which `finish` writes.
    func endDriven(
        _ job: JobID, _ exit: ExitReport, isDropping: Bool
    ) throws(DomeError) -> DrivenJournal.Head {
        let head = try open(job).end(exit, isDropping: isDropping)
        driven[job] = nil
        return head
    }

    private func open(_ job: JobID) throws(DomeError) -> DrivenJournal {
        guard let journal = driven[job] else { throw DomeError(.internal, "the journal of \(job) is not open") }
        return journal
    }
}
