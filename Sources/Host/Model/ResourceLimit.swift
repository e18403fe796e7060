/// A resource limit of the kernel's as a job gets it. Made from `Limits` in one place, so that what is enforced and
/// what people are told is the same list.
package struct ResourceLimit: Sendable, Equatable {
    /// setrlimit(2) has the exact meaning of each.
    package enum Resource: String, Sendable, CaseIterable {
        case coreBytes = "core_bytes"
        case processes = "pids"
        case openFiles = "open_files"
        case fileBytes = "file_bytes"
        case processorSeconds = "cpu_seconds"
        case dataBytes = "memory_bytes"
    }

    /// Over what the kernel counts.
    package enum Scope: String, Sendable {
        case job
        case process
        case file
    }

    package let resource: Resource
    package let soft: UInt64
    package let hard: UInt64
    package let scope: Scope
}

extension Limits {
    /// What is enforced by setrlimit(2) on every process of a job. Beside a control group, which counts the whole job
    /// and tells when it has acted, processes have a little more room here, so that the group acts first; and there is
    /// no limit of the memory that is reserved, which would only end tools that are within the limit of what is used.
    package func resourceLimits(hasCgroup: Bool) -> [ResourceLimit] {
        func limit(
            _ resource: ResourceLimit.Resource, _ soft: UInt64, _ scope: ResourceLimit.Scope, grace: UInt64 = 0
        ) -> ResourceLimit {
            let (hard, isOver) = soft.addingReportingOverflow(grace)
            return ResourceLimit(resource: resource, soft: soft, hard: isOver ? .max : hard, scope: scope)
        }
        let limits = [
            // Not 0: where core_pattern is a pipe the kernel asks the limit for this value alone, and otherwise starts
            // the host's handler, as root, for each crash of a job. As a size it is too small for any core.
            limit(.coreBytes, 1, .process),
            // Our PID 1 counts too. The kernel counts per user and user namespace, and each job has one of its own.
            limit(.processes, processes &+ (hasCgroup ? 2 : 1), .job),
            limit(.openFiles, openFiles, .process),
            limit(.fileBytes, fileBytes, .file),
            // SIGXCPU first, so that the record says what ended it; SIGKILL if that is ignored.
            limit(.processorSeconds, cpuSeconds, .process, grace: 5),
        ]
        // Never the address space: that breaks programs that reserve some, like every JIT.
        return hasCgroup ? limits : limits + [limit(.dataBytes, memoryBytes, .process)]
    }
}

/// Sizes of the folders that every job has of its own; /job's is `Limits.diskBytes`.
package enum JobFolders {
    package static let temporaryBytes: UInt64 = 256 << 20
    package static let sharedMemoryBytes: UInt64 = 64 << 20
}
