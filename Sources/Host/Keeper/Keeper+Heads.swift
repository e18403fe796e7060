import DomeLink
import DomePlatform

/// Telling domed how far journals have come: once per turn for all jobs together, and only while the socket
/// takes it. What was not told is told later, and shorter.
extension Keeper {
    /// Heads in one message: some 50 bytes each, within a packet.
    private static let headsPerMessage = 1000

    /// A flood's heads are told this often at most; a head after some quiet is told at the end of the turn.
    private static let intervalNanoseconds: Int64 = 500_000

    /// Notes that `job`'s journal has grown.
    func noteHead(_ job: JobRun) {
        guard channel != nil, !job.isDirty else { return }
        job.isDirty = true
        dirtyJobs.append(job)
        guard !isHeadFlushScheduled else { return }
        isHeadFlushScheduled = true
        let sinceLast = Clock.monotonicNanoseconds() - lastHeadNanoseconds
        loop.schedule(afterNanoseconds: Self.intervalNanoseconds - sinceLast) { [weak self] in
            self?.isHeadFlushScheduled = false
            self?.flushHeads()
        }
    }

    func flushHeads() {
        guard let channel, channel.isOpen else {
            for job in dirtyJobs { job.isDirty = false }
            dirtyJobs.removeAll()
            return
        }
        guard !channel.isCongested, !dirtyJobs.isEmpty else { return }
        lastHeadNanoseconds = Clock.monotonicNanoseconds()
        var heads: [KeeperHead] = []
        heads.reserveCapacity(min(dirtyJobs.count, Self.headsPerMessage))
        for job in dirtyJobs {
            job.isDirty = false
            // `exited` has said it already.
            if job.phase != .exited { heads.append(job.head) }
            if heads.count == Self.headsPerMessage {
                channel.send(.heads(heads))
                heads.removeAll(keepingCapacity: true)
            }
        }
        dirtyJobs.removeAll(keepingCapacity: true)
        if !heads.isEmpty { channel.send(.heads(heads)) }
    }
}
