/// What the process that loads a plugin does for it. The defaults are those of a process without a job.
package struct HostServices: Sendable {
    /// Whether the call under way is not wanted any more; any thread.
    package var isCanceled: @Sendable () -> Bool = { false }
    /// Called once, when the plugin first asks for the extension behind `isCanceled`.
    package var watchesCancel: @Sendable () -> Void = {}
    /// A line for the log: level 0 (debug) to 3 (error); any thread. nil: this process's own log.
    package var log: (@Sendable (Int32, String) -> Void)?
    /// How far the job is; any thread.
    package var progress: @Sendable (Double, String) -> Void = { _, _ in }
    /// Monotonic nanoseconds at which the job is ended; nil: never.
    package var deadlineNanoseconds: Int64?
    package var secrets: [String: [UInt8]] = [:]
    /// Where artifacts go; nil: there is no job.
    package var artifacts: ArtifactFolder?

    package init() {}
}

/// Where a job's artifacts are written and where they lie when they are whole. One file system, so that the step from
/// one to the other is a rename: a plugin that dies in between leaves no half artifact.
package struct ArtifactFolder: Sendable {
    package var workPath: String
    package var outputPath: String

    package init(workPath: String, outputPath: String) {
        (self.workPath, self.outputPath) = (workPath, outputPath)
    }
}
