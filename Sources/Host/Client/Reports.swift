package import DomeModel

// What the daemon tells, as plain values. The names are the contract's.

package struct ToolSummary: Sendable, Equatable {
    package var toolID = ""
    package var version = ""
    package var title = ""
    package var shortDescription = ""
    package var kind = ""
    /// Why it cannot be run on this machine, with the remedy; empty if it can.
    package var unavailable = ""
    /// What to use instead; empty if it may be used.
    package var deprecated = ""
    /// All that there are, the highest first.
    package var versions: [String] = []
    package init() {}
}

/// A tool with its documents.
package struct ToolDetail: Sendable, Equatable {
    package var summary = ToolSummary()
    package var description = ""
    package var executorBackend = ""
    package var permissions: [String] = []
    package var sideEffects: [String] = []
    package var inputSchemaRef = ""
    package var outputSchemaRef = ""
    package var inputSchemaJSON = ""
    package var outputSchemaJSON = ""
    package var manifestJSON = ""
    /// Where it is not what it was when it was first run.
    package var differences: [String] = []
    package var materialSHA256 = ""
    package init() {}
}

/// What to run.
package struct Submission: Sendable, Equatable {
    package var toolID: String
    package var profile: String
    /// The same key with the same request is the same job, however often it is sent.
    package var idempotencyKey: String
    package var taskJSON: String
    package var constraintsJSON: String
    /// Who asks, for the record: a JSON object, or "".
    package var callerJSON = ""

    package init(
        toolID: String, profile: String, idempotencyKey: String, taskJSON: String, constraintsJSON: String
    ) {
        self.toolID = toolID
        self.profile = profile
        self.idempotencyKey = idempotencyKey
        self.taskJSON = taskJSON
        self.constraintsJSON = constraintsJSON
    }
}

/// An admitted job.
package struct Admission: Sendable, Equatable {
    package var jobID = ""
    package var runID = ""
    /// Nil for a state that this build does not know.
    package var state: JobState?
    package var wasReplayed = false
    /// "submitted" or "replayed", and perhaps a hint.
    package var message = ""
    package init() {}
}

/// A file that a job left.
package struct Artifact: Sendable, Equatable {
    package var kind = ""
    /// Absolute, on the daemon's machine.
    package var path = ""
    /// What the job called it below /job/out.
    package var name = ""
    /// 64 hexadecimal digits; empty if the daemon does not know.
    package var sha256 = ""
    package var byteCount: UInt64 = 0
    /// CIDv1 of the bytes; empty if the daemon does not know.
    package var contentID = ""
    package init() {}
}

/// A job in one line. Times are RFC 3339, empty for "not yet".
package struct JobSummary: Sendable, Equatable {
    package var jobID = ""
    package var runID = ""
    package var toolID = ""
    package var profile = ""
    package var state: JobState?
    package var createdAt = ""
    package var startedAt = ""
    package var endedAt = ""
    package var exitCode: Int32?
    package var message = ""
    package var lastSeq: UInt64 = 0
    package init() {}
}

package struct JobPage: Sendable, Equatable {
    package var jobs: [JobSummary] = []
    /// Empty on the last page.
    package var nextPageToken = ""
    package init() {}
}

/// Which jobs to list.
package struct JobFilter: Sendable, Equatable {
    package var states: [JobState] = []
    package var toolID = ""
    package var since = ""
    package var until = ""
    package init() {}
}

/// A job with its record.
package struct JobDetail: Sendable, Equatable {
    package var summary = JobSummary()
    package var signal: Int32?
    package var reason = ""
    package var artifacts: [Artifact] = []
    package var provenance = Provenance()
    package var provenanceJSON = ""
    package var enforcementJSON = ""
    package var resourcesJSON = ""
    /// What its tool promises, one JSON text; empty if there is none or it is larger than 1 MiB.
    package var resultJSON = ""
    package init() {}
}

/// The published extract of a job's provenance.
package struct Provenance: Sendable, Equatable {
    package var repo = ""
    package var commitSHA = ""
    package var isDirty = false
    package var contractHashesJSON = ""
    package var toolVersionsJSON = ""
    package var inputHash = ""
    package var environmentFingerprint = ""
    package init() {}
}

package struct KeeperDetail: Sendable, Equatable {
    package var pid: UInt32 = 0
    package var generation: UInt64 = 0
    package var jobs: UInt32 = 0
    package var version = ""
    package init() {}
}

/// How the daemon is.
package struct DaemonStatus: Sendable, Equatable {
    package var serverVersion = ""
    package var minSupportedVersion = ""
    package var currentVersion = ""
    package var recommendedVersion = ""
    package var pid: UInt32 = 0
    package var startedAt = ""
    package var uptimeMilliseconds: UInt64 = 0
    package var endpoint = ""
    package var stateDirectory = ""
    package var jobsQueued: UInt32 = 0
    package var jobsRunning: UInt32 = 0
    package var keepers: [KeeperDetail] = []
    package var isSandboxWhole = false
    package var sandboxReportJSON = ""
    package var problems: [String] = []
    package init() {}
}

package struct GarbageResult: Sendable, Equatable {
    package var jobsRemoved: UInt32 = 0
    package var bytesFreed: UInt64 = 0
    package init() {}
}
