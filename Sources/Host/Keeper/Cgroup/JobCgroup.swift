import DomeModel
import DomePlatform
import Glibc

/// What a group limits.
struct CgroupLimits: Equatable {
    var memoryBytes: UInt64
    /// Our PID 1 counts too.
    var processes: UInt64
    /// Of one processor; 0: no limit.
    var cpuPercent: UInt64

    init(_ limits: Limits) {
        (memoryBytes, processes, cpuPercent) = (limits.memoryBytes, limits.processes &+ 1, limits.cpuPercent)
    }
}

/// What a group has counted when its job is over. Nil: the kernel does not say.
struct CgroupUsage: Equatable {
    var userMicroseconds: UInt64?
    var systemMicroseconds: UInt64?
    var throttledMicroseconds: UInt64?
    var peakMemoryBytes: UInt64?
    /// Processes that were killed because the group was out of memory.
    var outOfMemoryKills: UInt64?
    /// Forks that were refused because of the limit.
    var refusedForks: UInt64?
}

/// One job's group: a leaf that no other job is ever in.
final class JobCgroup {
    let name: String
    let limits: CgroupLimits
    /// For the clone that puts the job in, and for reading. The job never gets it: it can be written through.
    let directory: FileDescriptor

    /// Makes it below `parent` and sets its limits; on failure nothing is left of it.
    init(
        _ parent: FileDescriptor, name: String, _ limits: CgroupLimits, limitsCPU: Bool
    ) throws(DomeError) {
        (self.name, self.limits) = (name, limits)
        guard mkdirat(parent.number, name, 0o755) == 0 else { throw .system("make the control group \(name)", errno) }
        do throws(DomeError) {
            directory = try parent.openPlace(name)
            try CgroupFiles.write(directory, "memory.max", "\(limits.memoryBytes)")
            // Swapped memory is memory. Not there where the kernel does not count it.
            if faccessat(directory.number, "memory.swap.max", F_OK, 0) == 0 {
                try CgroupFiles.write(directory, "memory.swap.max", "0")
            }
            try CgroupFiles.write(directory, "pids.max", "\(limits.processes)")
            if limits.cpuPercent > 0, limitsCPU {
                try CgroupFiles.write(directory, "cpu.max", "\(limits.cpuPercent * 1_000) 100000")
            }
        } catch {
            unlinkat(parent.number, name, AT_REMOVEDIR)
            throw error
        }
    }

    /// What was used; meant for after the job's end.
    func usage() -> CgroupUsage {
        var usage = CgroupUsage()
        _ = CgroupFiles.read(directory, "cpu.stat") { bytes in
            usage.userMicroseconds = CgroupFiles.value("user_usec", in: bytes)
            usage.systemMicroseconds = CgroupFiles.value("system_usec", in: bytes)
            usage.throttledMicroseconds = CgroupFiles.value("throttled_usec", in: bytes)
        }
        usage.peakMemoryBytes = CgroupFiles.number(directory, "memory.peak")
        usage.outOfMemoryKills =
            CgroupFiles.read(directory, "memory.events") {
                CgroupFiles.value("oom_kill", in: $0)
            } ?? nil
        usage.refusedForks = CgroupFiles.read(directory, "pids.events") { CgroupFiles.value("max", in: $0) } ?? nil
        return usage
    }
}
