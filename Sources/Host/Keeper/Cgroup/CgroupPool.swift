import DomeModel
import DomePlatform
import Glibc

/// The jobs' groups. Making one takes a tenth of a millisecond and removing one not much less, so both are done beside
/// the jobs' way: a few are made ahead with the last job's limits (most jobs want the same), and used ones are
/// removed later. No group is ever used twice.
final class CgroupPool {
    let tree: CgroupTree
    private unowned let loop: EventLoop
    private var spares: [JobCgroup] = []
    /// What the last job wanted.
    private var wanted: CgroupLimits?
    /// Names of groups whose jobs have ended.
    private var used: [String] = []
    private var nextNumber: UInt64 = 1
    private var housekeeping: LoopTimer?
    private var sweepsLeft = 10

    private static let spareCount = 4
    /// Made or removed in one go; then what is readable has its turn.
    private static let stepCount = 4
    /// Long enough for the job that was just started or has just ended to be told.
    private static let pauseMilliseconds: UInt64 = 2
    private static let retryMilliseconds: UInt64 = 50

    init(_ tree: CgroupTree, on loop: EventLoop) {
        (self.tree, self.loop) = (tree, loop)
        sweep()
    }

    private func sweep() {
        guard tree.sweep(), sweepsLeft > 0 else { return }
        sweepsLeft -= 1
        loop.schedule(afterMilliseconds: 500) { [weak self] in self?.sweep() }
    }

    /// An empty group with these limits, the caller's until it is given back.
    /// - Throws: E_POLICY_DENIED for a limit that cannot be enforced here; otherwise what the kernel refused.
    func take(_ limits: CgroupLimits) throws(DomeError) -> JobCgroup {
        if limits.cpuPercent > 0, !tree.hasCPU {
            throw DomeError(
                .policyDenied, "the limit cpu_percent needs the cgroup controller cpu, which \(tree.path) does not have"
            )
        }
        defer { tidyLater(Self.pauseMilliseconds) }
        if wanted != limits {
            wanted = limits
            used += spares.map(\.name)
            spares = []
        }
        if let spare = spares.popLast() { return spare }
        return try make(limits)
    }

    /// Of a job that is over, or never was.
    func giveBack(_ group: JobCgroup) {
        used.append(group.name)
        tidyLater(Self.pauseMilliseconds)
    }

    private func make(_ limits: CgroupLimits) throws(DomeError) -> JobCgroup {
        defer { nextNumber += 1 }
        return try JobCgroup(tree.branch, name: "job-\(nextNumber)", limits, limitsCPU: tree.hasCPU)
    }

    private func tidyLater(_ milliseconds: UInt64) {
        guard housekeeping == nil else { return }
        housekeeping = loop.schedule(afterMilliseconds: milliseconds) { [weak self] in
            guard let self else { return }
            housekeeping = nil
            tidy()
        }
    }

    private func tidy() {
        do throws(DomeError) {
            if let wanted, spares.count < Self.spareCount { spares.append(try make(wanted)) }
        } catch {
            // The next job will say it aloud, if it is still so.
            Log.warning("keeper.cgroup_spare_failed", ["error": error.description])
            wanted = nil
        }
        let step = used.prefix(Self.stepCount)
        used.removeFirst(step.count)
        // EBUSY: the job's first process is not reaped yet.
        let busy = step.filter { unlinkat(tree.branch.number, $0, AT_REMOVEDIR) != 0 && errno == EBUSY }
        used += busy
        if !busy.isEmpty, used.count == busy.count {
            tidyLater(Self.retryMilliseconds)
        } else if !used.isEmpty || (wanted != nil && spares.count < Self.spareCount) {
            tidyLater(Self.pauseMilliseconds)
        }
    }
}
