package import DomeModel

/// What a keeper says to domed. Of each job, in this order: `prepared` unless GO was there first, `started`, `exited`.
package enum KeeperReply: Sendable, Equatable {
    /// The answer to `hello`: the version both speak from now on.
    case hello(KeeperHello)
    /// An inner server's state; after `hello` and whenever it changes. While one lives its pidfd comes with it.
    case innerServer(KeeperInnerServer)
    /// A job the keeper has; after `hello` and `list`. An exited job's `exited` follows at once.
    case job(KeeperJob)
    /// That was all.
    case listEnd
    /// Everything but exec is done; a gated job waits for `go`.
    case prepared(JobID)
    /// The tool runs. The running event is in the journal, with that time and `seq`; 0 if it has to wait there (a full
    /// disk).
    case started(JobID, startedNanoseconds: Int64, seq: UInt64)
    /// The job could not even be begun (no journal, another writer, a retired keeper): nothing was written, and
    /// the keeper has forgotten it. A start that fails later ends by `exited` with cause `launchFailed`.
    case refused(JobID, code: ErrorCode, message: String)
    /// Journals have grown. Notices coalesce: only the newest head of a job is worth anything.
    case heads([KeeperHead])
    /// The EXIT record is written, the keeper writes no more. The job's /job comes with it, if there is one.
    /// Repeated on every connection until `release`.
    case exited(KeeperExit)
    /// The gated job is gone without trace, its journal free.
    case aborted(JobID)
    /// The answer to `appendEvent`. Nil: not appended, because the job has ended (domed appends itself) or there
    /// is no such job.
    case appended(JobID, number: UInt64, seq: UInt64?)
}

/// Who a keeper is.
package struct KeeperHello: Sendable, Equatable {
    package var version: UInt16
    package var generation: UInt64
    package var processID: Int32
    package var isRetired: Bool

    package init(version: UInt16, generation: UInt64, processID: Int32, isRetired: Bool) {
        self.version = version
        self.generation = generation
        self.processID = processID
        self.isRetired = isRetired
    }
}

/// An inner server, which jails jobs of some network modes: `none` and `loopback`, or `full`.
package struct KeeperInnerServer: Sendable, Equatable {
    package enum State: UInt8, Sendable {
        /// Not known yet whether it works.
        case starting = 0
        /// `true` ran through its full profile.
        case ready = 1
        /// Jobs that need it are refused; `message` says why.
        case unusable = 2
        /// It died; its jobs are ended as `keeperLost` and a new one is started.
        case dead = 3
    }

    /// Whether its jobs see the host's network.
    package var hasHostNetwork: Bool
    package var state: State
    package var processID: Int32
    /// What the probe was enclosed by.
    package var layers: UInt64
    /// For people: why it is unusable.
    package var message: String
    /// The layers that every job of it must have around it.
    package var requiredLayers: UInt64 = 0
    /// Those that a job must have that was granted Unix sockets.
    package var requiredLayersWithSockets: UInt64 = 0
    /// Whom its jobs run as.
    package var jobUserID: UInt32 = 0
    /// What of the host every job of it sees, read-only.
    package var systemPaths: [String] = []

    package init(hasHostNetwork: Bool, state: State, processID: Int32, layers: UInt64 = 0, message: String = "") {
        self.hasHostNetwork = hasHostNetwork
        self.state = state
        self.processID = processID
        self.layers = layers
        self.message = message
    }
}

/// How far a job's journal has come.
package struct KeeperHead: Sendable, Equatable {
    package var jobID: JobID
    package var lastSeq: UInt64
    package var byteLength: UInt64

    package init(jobID: JobID, lastSeq: UInt64, byteLength: UInt64) {
        self.jobID = jobID
        self.lastSeq = lastSeq
        self.byteLength = byteLength
    }
}

/// One of a keeper's jobs.
package struct KeeperJob: Sendable, Equatable {
    package enum Phase: UInt8, Sendable {
        /// On its way to the gate or to exec.
        case preparing = 0
        /// At the gate.
        case gated = 1
        case running = 2
        case exited = 3
    }

    package var phase: Phase
    package var head: KeeperHead
    /// Nanoseconds since 1970; 0 before.
    package var startedNanoseconds: Int64

    package init(phase: Phase, head: KeeperHead, startedNanoseconds: Int64) {
        self.phase = phase
        self.head = head
        self.startedNanoseconds = startedNanoseconds
    }
}

/// An ended job.
package struct KeeperExit: Sendable, Equatable {
    package var report: ExitReport
    package var head: KeeperHead

    package init(report: ExitReport, head: KeeperHead) {
        self.report = report
        self.head = head
    }
}
