package import DomeModel

/// What domed says to a keeper.
package enum KeeperRequest: Sendable, Equatable {
    /// First on every connection: the versions domed speaks. The keeper answers `hello`, its inner servers, every
    /// job it has, `listEnd`.
    case hello(oldest: UInt16, current: UInt16)
    /// Start a job whose journal domed has made and let go of (`JournalWriter` dropped).
    case launch(KeeperLaunch)
    /// Open a gated job's gate.
    case go(JobID)
    /// Discard a gated job: no EXIT record, no trace. Answered by `aborted`; ignored once `go` was said.
    case abort(JobID)
    /// End a job: the event is appended, then SIGTERM, the plan's grace, SIGKILL. Ends as `canceled`.
    case cancel(JobID, event: LinkEvent?)
    /// Append an event to a running job's journal. Answered by `appended` with the same number.
    case appendEvent(JobID, number: UInt64, LinkEvent)
    /// domed has finished an exited job: the keeper forgets it and closes its /job.
    case release(JobID)
    /// Say again which jobs there are: as after `hello`.
    case list
    /// Take no more jobs; exit when the last has been released.
    case retire
}

/// A job to be started.
package struct KeeperLaunch: Sendable, Equatable {
    package var plan: LaunchPlan
    /// Prepare everything, then wait for `go`.
    package var isGated: Bool
    /// Appended the moment the tool runs, before any output: the state change to "running".
    package var runningEvent: LinkEvent?

    package init(plan: LaunchPlan, isGated: Bool, runningEvent: LinkEvent?) {
        self.plan = plan
        self.isGated = isGated
        self.runningEvent = runningEvent
    }
}
