/// A job's state; raw values are those of `domed.v1.JobState`.
package enum JobState: Int32, Sendable, CaseIterable {
    case queued = 1
    case running = 2
    case succeeded = 3
    case failed = 4
    case canceled = 5

    /// The name in event payloads, logs and tables, e.g. "queued".
    package var name: String {
        switch self {
        case .queued: "queued"
        case .running: "running"
        case .succeeded: "succeeded"
        case .failed: "failed"
        case .canceled: "canceled"
        }
    }

    /// The state of that name, or nil.
    package init?(name: String) {
        guard let state = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = state
    }

    /// Whether no event may follow.
    package var isTerminal: Bool { self != .queued && self != .running }

    /// Whether the state machine lets a job pass from this state to `next`.
    package func mayBecome(_ next: JobState) -> Bool {
        switch (self, next) {
        case (.queued, .running), (.queued, .failed), (.queued, .canceled): true
        case (.running, .succeeded), (.running, .failed), (.running, .canceled): true
        default: false
        }
    }
}
