import DomeJail
import DomeModel
import DomePlatform
import Glibc

/// What a job has used, and which limits have acted on it: read when nothing of it is alive, before its group goes.
extension JobRun {
    /// Completes the report, and collects the events that its journal ends with.
    func noteLimits(_ exit: JailExit, _ report: inout ExitReport) {
        let usage = cgroup?.usage() ?? CgroupUsage()
        if let user = usage.userMicroseconds, let system = usage.systemMicroseconds {
            // The group has also seen processes that nobody waited for.
            (report.userMicroseconds, report.systemMicroseconds) = (user, system)
        }
        report.peakMemoryBytes = usage.peakMemoryBytes
        noteProcessorTime(exit, report, usage)
        if let kills = usage.outOfMemoryKills, kills > 0 {
            limitEvents.append(LimitEvent.memory(limits, used: usage.peakMemoryBytes, kills: kills))
        }
        if let refusals = usage.refusedForks, refusals > 0 {
            limitEvents.append(LimitEvent.processes(limits, refusals: refusals))
        }
        if endedItself(exit, by: SIGXFSZ) { limitEvents.append(LimitEvent.fileSize(limits)) }
        noteWork(&report)
    }

    private func noteProcessorTime(_ exit: JailExit, _ report: ExitReport, _ usage: CgroupUsage) {
        let used = report.userMicroseconds + report.systemMicroseconds
        if endedItself(exit, by: SIGXCPU) {
            limitEvents.append(LimitEvent.processorTime(limits, usedMicroseconds: used))
        }
        if limits.cpuPercent > 0, let waited = usage.throttledMicroseconds, waited > 0 {
            limitEvents.append(LimitEvent.throttled(limits, microseconds: waited))
        }
    }

    /// Whether the tool got this signal from the kernel, as far as can be told: nobody here has sent it.
    private func endedItself(_ exit: JailExit, by number: Int32) -> Bool {
        exit.cause == .exited && exit.hasExecuted && exit.rawWaitStatus & 0x7f == number
    }

    /// How much lies in /job, if that is a file system of the job's own.
    private func noteWork(_ report: inout ExitReport) {
        guard let space = try? work?.fileSystem(), space.kind == .tmpfs, space.freeBytes <= space.totalBytes else {
            return
        }
        let used = space.totalBytes - space.freeBytes
        report.workUsedBytes = used
        // Some 4 us a file, and much less for a page of a large one.
        isWorkLarge = space.usedFiles > 256 || used > 4 << 20
        if space.freeBytes == 0 { limitEvents.append(LimitEvent.disk(limits, used: used)) }
    }
}
