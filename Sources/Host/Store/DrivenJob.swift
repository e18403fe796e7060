package import DomeModel

/// A job that an executor drives elsewhere, as far as it must be known to find it again.
package struct DrivenJob: Sendable, Equatable {
    package var jobID: JobID
    /// The executor's plugin id.
    package var executor: String
    /// The executor's own name for it; what it says is foreign.
    package var handle: String
    /// What was decided about it when it was started, a JSON object.
    package var limitsJSON: String
    /// Nanoseconds since 1970; nil as long as nobody asked for its end.
    package var cancelRequestedNanoseconds: Int64?

    package init(
        jobID: JobID, executor: String, handle: String, limitsJSON: String, cancelRequestedNanoseconds: Int64? = nil
    ) {
        (self.jobID, self.executor, self.handle, self.limitsJSON) = (jobID, executor, handle, limitsJSON)
        self.cancelRequestedNanoseconds = cancelRequestedNanoseconds
    }
}
