/// What a job may use. All have defaults; a manifest may lower or raise them, a request may only lower.
package struct Limits: Sendable, Equatable {
    /// Wall-clock time from start to forced end.
    package var wallMilliseconds: UInt64 = 10 * 60 * 1000
    /// From SIGTERM to SIGKILL on cancel and timeout.
    package var graceMilliseconds: UInt64 = 5_000
    /// Processor time of each process.
    package var cpuSeconds: UInt64 = 600
    /// Processor time per wall time, in percent of one processor; 0: as much as there is. Needs a cgroup.
    package var cpuPercent: UInt64 = 0
    /// Of the whole job where a cgroup is delegated (memory.max), else of each process (RLIMIT_DATA).
    package var memoryBytes: UInt64 = 4 << 30
    package var processes: UInt64 = 64
    package var openFiles: UInt64 = 1024
    /// The largest single file the job may write.
    package var fileBytes: UInt64 = 256 << 20
    /// stdout and stderr together, in the journal; beyond it output is drained, dropped and reported.
    package var outputBytes: UInt64 = 64 << 20
    /// A longer line is split into partial events.
    package var lineBytes: UInt64 = 64 << 10
    /// /job
    package var diskBytes: UInt64 = 256 << 20
    /// An unterminated line is flushed as partial after this much silence.
    package var idleFlushMilliseconds: UInt64 = 200

    package init() {}
}
